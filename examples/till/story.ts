// What happens at the two tills. Each act is a sentence.
import type { Client, Shown } from "./client";
import { stockLeft } from "./verdict";

/** The hub's. */
export interface Power {
  cut(): Promise<void>;
  restore(): Promise<void>;
}

export async function* tell([one, two]: readonly [Client, Client], power: Power): AsyncGenerator<string> {
  const both = [one, two];
  const online = (till: Client) =>
    till.until(({ link, waiting }) => link === "online" && waiting === 0, "online, nothing waits");
  const offline = (till: Client) => till.until(({ link }) => link === "lost", "offline");
  /** Looks until both pages show all that was sold, and what is left of it; says it. */
  const agree = async () => {
    const sales = one.receipts.size + two.receipts.size;
    const left = stockLeft(both);
    const all = (state: Shown) =>
      state.sales.length === sales && state.products.every(({ id, stock }) => stock === left.get(id));
    const [seen] = await Promise.all(both.map((till) => till.until(all, `${sales} sales, and what they left`)));
    return stock(seen as Shown);
  };
  const stock = ({ products }: Shown) => products.map(({ id, stock }) => `${stock} ${id}`).join(", ");

  for (const till of both) await till.until(({ products }) => products.length > 0, "products");
  await Promise.all(both.map(online));
  yield `both have the hub's products: ${stock(await one.state())}`;

  await Promise.all([one.sell({ bread: 2, butter: 1 }, 2), two.sell({ bread: 1, tea: 2 })]);
  yield `both sell, till-1 by a request that is sent twice: each shows both sales, and ${await agree()}`;

  await two.turnLink(false);
  await one.sell({ bread: 3, jam: 1 });
  await one.sell({ coffee: 1 });
  await two.sell({ bread: 4, coffee: 2 });
  await two.sell({ honey: 5 });
  // Two sales and the three products that they took from.
  const away = await two.until(({ waiting }) => waiting === 5, "five rows wait");
  yield `till-2 is switched off and sells on, as does till-1: till-2 counts ${stock(away)}; ${away.waiting} rows wait there`;

  await two.turnLink(true);
  await Promise.all(both.map(online));
  yield `it is switched on: both count ${await agree()}`;

  await power.cut();
  await Promise.all(both.map(offline));
  await Promise.all([one.sell({ tea: 3 }), two.sell({ tea: 4, bread: 1 })]);
  const waiting = await Promise.all(both.map((till) => till.until((state) => state.waiting > 0, "some rows wait")));
  yield `the hub's process is killed: both say so and sell on; ${waiting.map((state) => `${state.waiting} rows wait at ${state.till}`).join(", ")}`;

  await power.restore();
  await Promise.all(both.map(online));
  yield `the hub is up again: both count ${await agree()}`;
}
