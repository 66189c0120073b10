// What happens in the demo. Yields a sentence after each act; settles whenever the next act builds on the last one.
import { setTimeout as sleep } from "node:timers/promises";
import type { Client, Ledger } from "./client";
import { look, settle } from "./verdict";

let edition = 0;

/** Goes round the documents: counts views, changes titles and bodies, leaves its tag or takes it off. */
async function work(client: Client, documents: readonly string[], rounds = 60): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    const id = documents[round % documents.length] as string;
    const document = await client.edit(id, { views: round % 3 });
    if (!document) continue;
    const others = document.tags.filter((tag) => tag !== client.tag);
    if (others.length === document.tags.length) await client.edit(id, { tags: [...others, client.tag] });
    else if (round % 7 === 0) await client.edit(id, { tags: others });
    if (round % 4 === 0) await client.edit(id, { title: document.title.replace(/ \d+$|$/, ` ${++edition}`) });
    if (round % 5 === 0) await client.edit(id, { body: `Round ${round} on ${client.name}.` });
  }
}

/** Writes to the edge's file from this process, past its app, the ORM and grove-crdt. */
async function writeSql(edge: Client, ledger: Ledger): Promise<void> {
  edge.sql(`INSERT INTO documents (id, title, tags) VALUES ('note-${edge.tag}', 'Note ${edge.tag}', '["sql"]')`);
  ledger.created(`note-${edge.tag}`);
  for (let round = 1; round <= 20; round++) {
    edge.sql("UPDATE documents SET view_count = view_count + 1 WHERE id = 'agenda'");
    ledger.viewed("agenda", 1);
    await sleep(5);
  }
}

export async function* tell(hub: Client, a: Client, b: Client, ledger: Ledger): AsyncGenerator<string> {
  const all = [hub, a, b];

  await Promise.all([hub.create("Agenda"), hub.create("Budget"), a.create("Charter"), a.create("Diary")]);
  await Promise.all([b.create("Events"), b.create("Forms")]);
  await settle(all, ledger);
  yield "each node created two documents, and every node has all six";

  const six = ["agenda", "budget", "charter", "diary", "events", "forms"];
  await Promise.all([work(hub, six), work(a, six), work(b, six)]);
  await settle(all, ledger);
  yield "all three wrote to all six at once: views, titles, bodies, tags";

  await Promise.all([
    hub.remove("diary"),
    hub.remove("forms"),
    work(a, ["diary", "forms"]),
    work(b, ["forms", "diary"]),
  ]);
  await settle(all, ledger);
  await b.create("Forms");
  await b.edit("forms", { views: 3 });
  await settle(all, ledger);
  yield "hub deleted Diary and Forms under the others' hands; edge-b made a new Forms";

  await b.plug(false);
  await Promise.all([hub.create("Guests"), b.create("Guests")]);
  await Promise.all([
    work(hub, ["agenda", "budget", "charter", "guests"]),
    work(a, ["agenda", "budget", "charter", "events", "forms"]),
    work(b, ["agenda", "charter", "events", "forms", "guests"]),
    hub.remove("events"),
    b.remove("budget"),
  ]);
  yield `edge-b went offline and all went on; Agenda's views: ${await views("agenda", all)}`;

  await Promise.all([
    work(a, ["agenda", "charter"]),
    work(b, ["agenda", "guests"]),
    writeSql(a, ledger),
    writeSql(b, ledger),
  ]);
  yield "another process wrote plain SQL into both edges' files, while they wrote";

  await b.plug(true);
  await settle(all, ledger);
  yield `edge-b came back; Agenda's views: ${await views("agenda", all)}`;
}

async function views(id: string, clients: readonly Client[]): Promise<string> {
  const databases = await look(clients);
  return databases.map(({ name, rows }) => `${name} ${rows.get(id)?.viewCount}`).join(", ");
}
