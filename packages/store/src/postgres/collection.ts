// Collection on Postgres: its rounds, and what is forgotten once all have agreed.
import { type Collection, collectRow, type Json, type Round, type TableModel } from "@grove-crdt/core";
import {
  type CollectionFacts,
  type CollectionStep,
  decideStep,
  HAS_MET,
  LACKS,
  readCollection,
  worthCollecting,
} from "../collection";
import { allRows } from "./all-rows";
import type { RawRow } from "./driver";
import { collectKept } from "./elsewhere";
import { recordStates } from "./history";
import type { Session } from "./session";
import { ShadowWrites } from "./shadow-writes";
import { numbers } from "./sql";
import type { Table } from "./table";

type Reader = Pick<Session, "rows">;

export async function collectionOf(reader: Reader): Promise<Collection> {
  const [row] = await reader.rows("SELECT upto, rounds, rejoining FROM public._grove_collection WHERE id = 1", []);
  return readCollection(row);
}

export interface CollectionOptions {
  readonly maxClockDrift: number;
  readonly random: () => number;
  readonly models: readonly TableModel[];
}

async function factsOf(session: Session, options: CollectionOptions): Promise<CollectionFacts> {
  const { node, incarnation, now, clock } = session;
  const peers = (await session.rows("SELECT peer FROM public._grove_peers", [])).map(([peer]) => peer as string);
  const [row] = await session.rows(`SELECT (${HAS_MET("public.")})::int, (${LACKS("public.")})::int`, []);
  const [hasMet, lacks] = (row as RawRow).map(Number);
  return { ...options, node, incarnation, now, clock, peers, isNew: hasMet === 0, lacks: lacks === 1 };
}

/** Forgets what the round's verdict names. The log must be empty. */
async function collect(session: Session, tables: readonly Table[], round: Round): Promise<void> {
  for (const table of tables) {
    const where = worthCollecting(table, table.model, round);
    if (where === null) continue;
    const gone: number[] = [];
    const left: Json[][] = [];
    for await (const rows of allRows(session, table, session.seq, where)) {
      const writes = new ShadowWrites(session, table);
      for (const { key, row } of rows) {
        const changes = collectRow(table.model, row, round);
        if (changes === "forgotten") gone.push(row.id);
        else if (changes) {
          writes.add(key, changes);
          left.push(table.pk(key, 0));
        }
      }
      await writes.flush();
    }
    await recordStates(session, table, left);
    for (const [name, column] of [
      [table.cells, "row"],
      [table.shadow, "id"],
    ] as const)
      await session.rows(`DELETE FROM ${name} t USING unnest($1::text::bigint[]) ids(id) WHERE t.${column} = ids.id`, [
        numbers(gone),
      ]);
  }
  await collectKept(session, round);
  // Rows have changed under their old numbers: whoever compares next reads them all.
  await session.rows("UPDATE public._grove_trees SET shape = ''", []);
}

/** @returns the collection after the step; `isStruck`: the others have collected without this node */
export async function stepCollection(
  session: Session,
  tables: readonly Table[],
  step: CollectionStep,
  options: Omit<CollectionOptions, "models">,
): Promise<{ readonly collection: Collection; readonly isStruck: boolean }> {
  const current = await collectionOf(session);
  const models = tables.map(({ model }) => model);
  const facts = await factsOf(session, { ...options, models });
  const { collection, collect: round, isStruck, clock } = decideStep(current, step, facts);
  session.clock = clock;
  if (round) await collect(session, tables, round);
  if (JSON.stringify(collection) !== JSON.stringify(current)) {
    await session.rows(
      "INSERT INTO public._grove_collection (id, upto, rounds) VALUES (1, $1::text::bigint, $2::text) ON CONFLICT (id) DO UPDATE SET upto = excluded.upto, rounds = excluded.rounds",
      [String(collection.upTo), JSON.stringify(collection.rounds)],
    );
  }
  return { collection, isStruck };
}
