// What a row's state tells of single writes: by them the oracle sees who has which.
import type { RowChange, WireCounter, WireItem } from "@grove-crdt/core";

export type Stamp = readonly [hlc: number, node: string];

/** All lists of a row, those in documents as well. */
export const listsIn = (state: RowChange | null): [name: string, items: readonly WireItem[]][] => [
  ...Object.entries(state?.list ?? {}),
  ...Object.entries(state?.document ?? {}).flatMap(([column, { list = [] }]) =>
    list.map(([path, items]): [string, readonly WireItem[]] => [`${column} ${path.join()}`, items]),
  ),
];

/** A move is no item. */
export const isItem = ({ length }: WireItem): boolean => length !== 5;
export const isDeleted = ({ length }: WireItem): boolean => length === 3;

interface Dot {
  readonly name: string;
  readonly element: string;
  readonly dot: string;
  readonly hlc: number;
  readonly node: string;
  /** Up to which the node's adds were seen removed. */
  readonly removed: number;
  readonly lives: boolean;
}

/** The adds of a row's tags. */
export const dotsIn = (row: string, state: RowChange | null): readonly Dot[] =>
  (state?.set?.tags ?? []).map(([value, hlc, node, removed = -1]) => {
    const element = `${row} ${JSON.stringify(value)}`;
    const dot = `${hlc} ${node}`;
    return { name: `${element} ${dot}`, element, dot, hlc, node, removed, lives: removed < hlc };
  });

export type Totals = ReadonlyMap<string, readonly [up: number, down: number]>;

/** The totals of the row's one counter, by incarnation. */
export function totalsIn(state: RowChange | null): Totals {
  const counters: readonly (WireCounter | undefined)[] = [
    state?.counter?.quantity,
    state?.counter?.view_count,
    ...(state?.document?.data?.counter ?? []).map(([, counter]) => counter),
  ];
  return new Map(
    counters.flatMap((counter) =>
      (counter?.totals ?? []).map(([incarnation, , up, down]) => [incarnation, [Number(up), Number(down)]] as const),
    ),
  );
}

export function titleOf(state: RowChange | null): Stamp | null {
  const title = state?.lww?.title;
  if (!state || !title) return null;
  const [, hlc = state.life[0], node = state.life[1]] = title;
  return [hlc, node];
}
