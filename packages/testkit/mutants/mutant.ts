// A mutant: one small wrong step in our own code, as somebody might make it, and who notices. It is made in a copy of the
// sources alone (copy.ts), so it can never ship.

export interface Mutant {
  readonly name: string;
  /** What it takes away: a flaw of lineage.md that it brings back, or a rule of design.md. */
  readonly takes: string;
  /** From the root of the repository. */
  readonly file: string;
  /** Must occur exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** A test that notices, where the simulator rarely does: its file and its name. Else seeds are run until one fails. */
  readonly by?: readonly [file: string, test: string];
}

/** The mutant's file, mutated. @throws Error when the code has moved on */
export function mutate({ name, file, find, replace }: Mutant, text: string): string {
  const found = text.split(find).length - 1;
  if (found !== 1) throw new Error(`${name}: its text occurs ${found} times in ${file}, and must occur once:\n${find}`);
  return text.replace(find, () => replace);
}
