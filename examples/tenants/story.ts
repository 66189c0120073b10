// What happens among the tenants. Each act is a sentence; `problems` says what another tenant saw or changed, which is nothing.
import { eq, sql } from "drizzle-orm";
import type { Cluster, Member } from "./cluster";
import { acmeDocuments, globexDocuments } from "./schema";

const titles = ({ db }: Pick<Member, "db">) => ({
  acme: db
    .select()
    .from(acmeDocuments)
    .orderBy(acmeDocuments.id)
    .all()
    .map(({ title }) => title),
  globex: db
    .select()
    .from(globexDocuments)
    .orderBy(globexDocuments.id)
    .all()
    .map(({ title }) => title),
});

export async function* tell(cluster: Cluster, problems: string[]): AsyncGenerator<string> {
  const { hub } = cluster;
  const expectTitles = (name: string, member: Pick<Member, "db">, expected: ReturnType<typeof titles>) => {
    const found = titles(member);
    if (JSON.stringify(found) !== JSON.stringify(expected))
      problems.push(`${name} has ${JSON.stringify(found)}; it must have ${JSON.stringify(expected)}`);
  };
  const acme = await cluster.join("acme", "acme");
  const globex = await cluster.join("globex", "globex");

  acme.db
    .insert(acmeDocuments)
    .values({ id: "plan", title: "Acme's plan", tags: ["secret"] })
    .run();
  globex.db.insert(globexDocuments).values({ id: "plan", title: "Globex's plan" }).run();
  await acme.sync();
  await globex.sync();
  await acme.sync();
  expectTitles("the hub", hub, { acme: ["Acme's plan"], globex: ["Globex's plan"] });
  expectTitles("acme", acme, { acme: ["Acme's plan"], globex: [] });
  expectTitles("globex", globex, { acme: [], globex: ["Globex's plan"] });
  yield "acme and globex write a plan each: the hub has both, and each of them its own";

  const laptop = await cluster.join("acme-laptop", "acme");
  await laptop.sync();
  for (const { db } of [acme, laptop])
    db.update(acmeDocuments)
      .set({ viewCount: sql`${acmeDocuments.viewCount} + 1` })
      .where(eq(acmeDocuments.id, "plan"))
      .run();
  for (const member of [laptop, acme, laptop]) await member.sync();
  const views = laptop.db.select().from(acmeDocuments).get()?.viewCount;
  if (views !== 2) problems.push(`acme-laptop counts ${views} views; it must count 2`);
  yield "a second node of acme's: both count a view, and both say 2";

  acme.db.insert(globexDocuments).values({ id: "slip", title: "In the wrong table" }).run();
  const slip = await acme.sync();
  expectTitles("the hub", hub, { acme: ["Acme's plan"], globex: ["Globex's plan"] });
  yield `acme writes into globex's table by mistake: its own node sends ${slip.pushed} rows of it`;

  const spy = await cluster.join("acme-spy", "acme", []);
  spy.db.insert(globexDocuments).values({ id: "note", title: "Planted by acme" }).run();
  await spy.sync();
  expectTitles("the hub", hub, { acme: ["Acme's plan"], globex: ["Globex's plan"] });
  expectTitles("the spy", spy, { acme: ["Acme's plan"], globex: ["Planted by acme"] });
  await globex.sync();
  expectTitles("globex", globex, { acme: [], globex: ["Globex's plan"] });
  const kept = (await spy.node.rejected()).map(({ table, code }) => `${table}: ${code}`);
  if (kept.join() !== "tenant_globex_documents: skipped")
    problems.push(`the spy's node keeps ${kept.join() || "nothing"}`);
  yield "a node without hooks calls as acme: it sees acme's tables alone, and what it writes to globex's stays where it is";

  const strangers = cluster.lines.filter(({ table, peer }) => !table.startsWith(`tenant_${peer.replace(/-.*/, "")}_`));
  for (const { what, table, peer } of strangers) problems.push(`the audit log has: ${what}, ${table}, ${peer}`);
  const count = (what: string) => cluster.lines.filter((line) => line.what === what).length;
  if (count("inbound change merged") === 0 || count("outbound change") === 0) problems.push("the audit log is empty");
  yield `the hub's audit log: ${count("inbound change merged")} changes merged, ${count("outbound change")} sent`;
}
