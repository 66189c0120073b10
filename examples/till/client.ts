// Does by HTTP what a cashier does on a till's page, and keeps count of what was acknowledged.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { TillState } from "./till";

/** As JSON: times are texts. */
export type Shown = Omit<TillState, "sales"> & {
  readonly sales: readonly { readonly id: string; readonly till: string }[];
};

export class Client {
  /** How many of each product were sold here. */
  readonly sold = new Map<string, number>();
  readonly receipts = new Set<string>();

  constructor(
    readonly name: string,
    readonly url: string,
  ) {}

  async #send(method: string, path: string, body: unknown): Promise<void> {
    const headers = { "content-type": "application/json" };
    const response = await fetch(this.url + path, { method, headers, body: JSON.stringify(body) });
    if (!response.ok)
      throw new Error(`${this.name}: ${method} ${path} answered ${response.status}: ${await response.text()}`);
  }

  /** @param times how often the request is sent, as by a page that did not hear the answer */
  async sell(basket: Readonly<Record<string, number>>, times = 1): Promise<void> {
    const lines = Object.entries(basket).map(([product, count]) => ({ product, count }));
    const id = randomUUID();
    for (let n = 0; n < times; n++) await this.#send("POST", "/sales", { id, lines });
    this.receipts.add(id);
    for (const { product, count } of lines) this.sold.set(product, (this.sold.get(product) ?? 0) + count);
  }

  turnLink = (on: boolean): Promise<void> => this.#send("PUT", "/link", { on });

  async state(): Promise<Shown> {
    return (await (await fetch(`${this.url}/state`)).json()) as Shown;
  }

  /** Looks until its page would say so. */
  async until(fits: (state: Shown) => boolean, what: string): Promise<Shown> {
    for (let look = 0; look < 600; look++) {
      const state = await this.state();
      if (fits(state)) return state;
      await sleep(50);
    }
    throw new Error(`${this.name} does not come to say: ${what}. It says: ${JSON.stringify(await this.state())}`);
  }
}
