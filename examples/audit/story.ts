// What happens at the hub and the branch, and what the hub's trail has to say of it. Each act is a sentence.
import { isDeepStrictEqual } from "node:util";
import type { Remote } from "../processes";
import type { HubActs } from "./hub";
import type { Office, TrailLine } from "./office";

export interface Hub {
  readonly acts: Remote<HubActs>;
  /** Has it die at the next change that a peer brings: before it is merged, or right after. */
  dieAt(when: "before" | "after"): Promise<void>;
  /** Once it has died: starts it on the same file. */
  restart(): Promise<void>;
}
export type Branch = Office & {
  /** The error's code, if there was one. */
  sync(): Promise<string | null>;
  /** Without asking first what the hub has. */
  push(): Promise<void>;
  /** Undoes what the hub has refused. */
  takeBack(): Promise<void>;
};

/** A line in short: `changed tea`, `offered tea.price by branch-7`. */
function short({ what, pk, field, principal, note }: TrailLine): string {
  const place = field ? `${pk}.${field}` : (pk ?? "");
  const who = principal ? ` by ${principal}` : "";
  return `${what} ${place}${who}${what === "refused" ? `: ${note}` : ""}`;
}

/** What the table must say, by the lines of the triggers alone. */
function playBack(lines: readonly TrailLine[]): Map<string, unknown> {
  const rows = new Map<string, unknown>();
  for (const { what, pk, after } of lines) {
    if (what !== "changed" || pk === null) continue;
    if (after === null) rows.delete(pk);
    else rows.set(pk, after);
  }
  return rows;
}

export async function* tell(
  hub: Hub,
  branch: Branch,
  problems: string[],
  plant: string | undefined,
): AsyncGenerator<string> {
  let seen = 0;
  /** The lines since the last look must be these. */
  const expectLines = async (...expected: string[]) => {
    const lines = (await hub.acts.trail()).slice(seen);
    seen += lines.length;
    const found = lines.map(short);
    if (!isDeepStrictEqual(found, expected))
      problems.push(`expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`);
    return found.join(", ");
  };
  const ada = { by: "ada", why: "new supplier" };

  await hub.acts.stock({ id: "tea", name: "Green tea", price: 540, stock: 20 }, ada);
  yield `ada stocks tea at the hub, one transaction: ${await expectLines("changed tea", "signed tea by ada")}`;

  await hub.acts.price("tea", 1, { by: "eve", why: "typing error" }, false);
  await expectLines();
  yield "eve changes the price and takes it back: a rolled back transaction leaves no line";

  await branch.sync();
  branch.price("tea", 590, { by: "bob", why: "dearer here" });
  branch.sell("tea", 3);
  await branch.sync();
  yield `the branch changes the price and sells: ${await expectLines(
    "offered tea.price by branch-7",
    "offered tea.stock by branch-7",
    "changed tea",
    "merged tea.price by branch-7",
    "merged tea.stock by branch-7",
  )}`;

  branch.price("tea", 600, { by: "bob", why: "rounder" });
  await hub.acts.price("tea", 610, ada);
  await expectLines("changed tea", "signed tea by ada");
  await branch.push();
  yield `both change it, the hub later: ${await expectLines("offered tea.price by branch-7")}, and no more: the hub's stands`;

  branch.price("tea", 620, { by: "bob", why: "rounder still" });
  await hub.dieAt("before");
  await branch.sync();
  await hub.restart();
  await expectLines("offered tea.price by branch-7");
  await branch.sync();
  yield `the hub dies before a merge: the change is offered, and not in the table. It comes again: ${await expectLines(
    "changed tea",
    "merged tea.price by branch-7",
  )}`;

  branch.sell("tea", 2);
  await hub.dieAt("after");
  await branch.sync();
  await hub.restart();
  await branch.sync();
  yield `the hub dies right after a merge: ${await expectLines("offered tea.stock by branch-7", "changed tea")}; "merged" is missing for good, the change is not`;

  branch.price("tea", -1, { by: "bob", why: "a gift" });
  await branch.sync();
  const given = branch.articles()[0]?.price;
  await branch.takeBack();
  yield `the branch gives it away, which is against a rule of the hub: ${await expectLines(
    "offered tea.price by branch-7",
    "refused tea by branch-7: forbidden",
  )}. The branch takes it back: ${given} is ${branch.articles()[0]?.price} again`;

  if (plant) await hub.acts.plant(plant);
  const rows = new Map((await hub.acts.articles()).map(({ id, ...article }) => [id, article as unknown]));
  const played = playBack(await hub.acts.trail());
  if (!isDeepStrictEqual(played, rows))
    problems.push(
      `played back, the trail gives ${JSON.stringify([...played])}; the table has ${JSON.stringify([...rows])}`,
    );
  const { stock, price } = branch.articles()[0] ?? {};
  if (!isDeepStrictEqual(branch.articles(), await hub.acts.articles())) problems.push("hub and branch differ");
  yield `played back, the lines of the triggers give the table: ${stock} tea at ${price}`;
}
