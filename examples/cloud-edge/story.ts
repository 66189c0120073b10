// What happens in the example. Yields a sentence after each act, and keeps count of what was written.
import type { Shop, Shops } from "./shops";
import { settle } from "./verdict";

const STORE = "store-42";

/** What both databases have to say in the end. */
export class Ledger {
  readonly orders = new Set<string>();
  readonly quantity = new Map<string, number>();
  add(sku: string, count: number): void {
    this.quantity.set(sku, (this.quantity.get(sku) ?? 0) + count);
  }
}

export async function* tell({ cloud, edge }: Shops, ledger: Ledger): AsyncGenerator<string> {
  const prices: Record<string, number> = { tea: 450, coffee: 690 };
  async function sell(shop: Shop, id: string, sku: string, count: number): Promise<void> {
    const order = { id, total: count * (prices[sku] as number), placedAt: new Date() };
    await shop.sell(order, STORE, sku, count);
    ledger.orders.add(id);
    ledger.add(sku, -count);
  }
  async function deliver(shop: Shop, sku: string, count: number): Promise<void> {
    await shop.deliver(STORE, sku, count);
    ledger.add(sku, count);
  }
  const quantities = async () => {
    const [at, there] = [await cloud.list(), await edge.list()];
    const say = (rows: typeof at.inventory) =>
      rows
        .sort((a, b) => (a.sku < b.sku ? -1 : 1))
        .map(({ sku, quantity }) => `${quantity} ${sku}`)
        .join(", ");
    return `the cloud counts ${say(at.inventory)}; the edge ${say(there.inventory)}`;
  };

  await cloud.stock({ store: STORE, sku: "tea", name: "Tea", quantity: 100 });
  await edge.stock({ store: STORE, sku: "coffee", name: "Coffee", quantity: 80, shelf: "left of the door" });
  ledger.add("tea", 100);
  ledger.add("coffee", 80);
  await settle({ cloud, edge }, ledger);
  yield "the cloud put 100 tea into the store's inventory, the store 80 coffee; both know of both";

  const rounds = Array.from({ length: 25 }, (_, n) => n + 1);
  await Promise.all([
    (async () => {
      for (const n of rounds) await sell(cloud, `web-${n}`, n % 2 ? "tea" : "coffee", 1);
    })(),
    (async () => {
      for (const n of rounds) await sell(edge, `till-${n}`, n % 2 ? "coffee" : "tea", 1);
    })(),
  ]);
  await settle({ cloud, edge }, ledger);
  yield `both sold at the same time, 25 orders each: ${await quantities()}`;

  await edge.plug(false);
  await sell(edge, "till-26", "tea", 2);
  await sell(edge, "till-27", "coffee", 5);
  await deliver(edge, "coffee", 24);
  await edge.change("web-1", { note: "collected at the till" });
  await edge.describe(STORE, "tea", { name: "Green tea" });
  await edge.withdraw("till-2");
  ledger.orders.delete("till-2");
  yield "the store's line is down; it goes on selling, takes a delivery, notes on an order that it was collected";

  await sell(cloud, "web-26", "tea", 7);
  await deliver(cloud, "tea", 40);
  await cloud.change("web-1", { status: "paid" });
  await cloud.change("till-2", { status: "shipped" });
  await cloud.describe(STORE, "coffee", { name: "Coffee, ground" });
  yield `so does the cloud, which marks that same order as paid: ${await quantities()}`;

  await edge.plug(true);
  await settle({ cloud, edge }, ledger);
  yield `the line is up again: ${await quantities()}`;
}
