// What happens in every topology: all nodes write at the same time, a line is cut, all go on writing, the line is mended.
// Yields a sentence after each act.
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Ledger, Shop, Writes } from "./ledger";
import type { Traffic } from "./line";
import type { Remote } from "./processes";
import { look, settle } from "./verdict";

export interface Actor {
  readonly name: string;
  readonly shop: Remote<Shop>;
}

export interface Stage {
  readonly nodes: readonly Actor[];
  /** Those whom the cut line parts from the others. */
  readonly apart: readonly Actor[];
  cut(): Promise<void>;
  mend(): Promise<void>;
  /** What went over all lines together. */
  traffic(): Promise<Traffic>;
}

const STORE = "store-42";
const ARTICLES: readonly { readonly sku: string; readonly name: string; readonly price: number }[] = [
  { sku: "tea", name: "Tea", price: 450 },
  { sku: "coffee", name: "Coffee", price: 690 },
  { sku: "cocoa", name: "Cocoa", price: 380 },
  { sku: "honey", name: "Honey", price: 820 },
];
/** Orders for later that each node takes. */
export const ADVANCE = 10;

export async function* tell({ nodes, apart, cut, mend, traffic }: Stage, ledger: Ledger): AsyncGenerator<string> {
  const names = (some: readonly Actor[]) => some.map(({ name }) => name).join(" and ");
  const articles = ARTICLES.slice(0, nodes.length);
  const here = nodes.find((node) => !apart.includes(node)) as Actor;
  const there = apart[0] as Actor;

  /** Writes at a node, and in the ledger. */
  async function write<Act extends keyof Writes>({ shop }: Actor, act: Act, ...args: Parameters<Writes[Act]>) {
    await (shop[act] as (...args: unknown[]) => Promise<void>)(...args);
    (ledger[act] as (...args: unknown[]) => void).call(ledger, ...args);
  }
  const orders = new Map<Actor, number>();
  function nextOrder(node: Actor, total: number) {
    const number = (orders.get(node) ?? 0) + 1;
    orders.set(node, number);
    return { id: `${node.name}-${number}`, total, placedAt: new Date() };
  }
  async function sell(node: Actor, rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      const { sku, price } = articles[round % articles.length] as (typeof ARTICLES)[number];
      const count = 1 + (round % 3);
      await write(node, "sell", nextOrder(node, price * count), STORE, sku, count);
    }
  }
  async function counts(): Promise<string> {
    const listings = await look([here, there]);
    const say = (name: string) =>
      articles
        .map(({ sku }) => `${listings.get(name)?.inventory.find((article) => article.sku === sku)?.quantity} ${sku}`)
        .join(", ");
    return `${here.name} counts ${say(here.name)}; ${there.name} ${say(there.name)}`;
  }

  await Promise.all(
    articles.map(({ sku, name }, n) =>
      // The shelf is local: it stays where it was written.
      write(nodes[n] as Actor, "stock", { store: STORE, sku, name, quantity: 100, shelf: `${n + 1} from the door` }),
    ),
  );
  await settle(nodes, ledger);
  yield `each put 100 of an article into the inventory, and all know of all ${articles.length}`;

  await Promise.all(nodes.map((node) => sell(node, 15)));
  await settle(nodes, ledger);
  yield `all sold from all stock at the same time, 15 orders each: ${await counts()}`;

  const before = await traffic();
  const advance = Array.from({ length: ADVANCE }, (_, n) => n);
  await Promise.all(
    nodes.map(async (node) => {
      for (const _ of advance) await write(node, "order", nextOrder(node, 100));
    }),
  );
  await settle(nodes, ledger);
  const rows = ADVANCE * nodes.length;
  const messages = (await traffic()).messages - before.messages;
  yield `all took orders for later, ${rows} new rows: ${messages} row messages, ${(messages / rows).toFixed(2)} for each`;

  const [shared, withdrawn] = [`${here.name}-1`, `${there.name}-2`];
  const sku = articles[0]?.sku as string;
  await cut();
  await Promise.all(apart.map((node) => sell(node, 4)));
  await write(there, "deliver", STORE, sku, 24);
  await write(there, "change", shared, { note: "collected at the till" });
  await write(there, "describe", STORE, sku, { name: "Tea, loose" });
  await write(there, "withdraw", withdrawn);
  yield `cut off: ${names(apart)}; there 4 orders each, a delivery, a note on an order, another order withdrawn`;

  await sleep(5);
  await Promise.all(nodes.filter((node) => !apart.includes(node)).map((node) => sell(node, 5)));
  await write(here, "deliver", STORE, sku, 40);
  await write(here, "change", shared, { status: "paid" });
  await write(here, "describe", STORE, sku, { name: "Green tea" });
  await write(here, "change", withdrawn, { status: "shipped" });
  const listings = await look([here, there]);
  if (isDeepStrictEqual(listings.get(here.name)?.inventory, listings.get(there.name)?.inventory))
    throw new Error("The line that is cut lets writes through.");
  yield `the others go on, mark the one order as paid and the other as shipped: ${await counts()}`;

  await mend();
  await settle(nodes, ledger);
  yield `the line is mended: ${await counts()}`;
}
