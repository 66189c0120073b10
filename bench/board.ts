// The one board of a database, whose list or set is written whole after each change, as programs do. Places are drawn by a
// generator with a seed, so that both sides of a case do the same.

/** Ten characters each, as in the tables of docs/types. */
export const itemNamed = (n: number): string => `item ${String(n).padStart(5, "0")}`;

export const itemsNamed = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, n) => itemNamed(from + n));

/** Numbers from 0 up to 1, the same for the same seed. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export type Write = (text: string) => unknown;

export class Board {
  readonly #random = random(1);
  #named: number;
  constructor(
    readonly items: string[],
    private readonly save: Write,
  ) {
    this.#named = items.length;
  }
  write(): unknown {
    return this.save(JSON.stringify(this.items));
  }
  /** Puts a new item at a place, at any if none is said; not written yet. */
  insert(place = Math.floor(this.#random() * (this.items.length + 1))): void {
    this.items.splice(place, 0, itemNamed(this.#named++));
  }
  /** Moves the first item behind the last, or the last before the first; not written yet. */
  swing(forth: boolean): void {
    if (forth) this.items.push(this.items.shift() as string);
    else this.items.unshift(this.items.pop() as string);
  }
}
