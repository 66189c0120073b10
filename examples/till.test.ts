// The example till in a real browser: two cashiers sell, one of them offline, then both without a hub. Skipped where there is no
// browser: CHROME_PATH names one, else /usr/bin/chromium is taken.

import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openExamples, until } from "../test/support/example";
import { readDatabase } from "./till/verdict";

const runExample = openExamples();
const executablePath = process.env.CHROME_PATH ?? "/usr/bin/chromium";
const missing = existsSync(executablePath) ? "" : `no browser at ${executablePath}: set CHROME_PATH`;
if (missing) console.warn(`The tills' pages were not tested: ${missing}.`);

const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

/** A till's page, as a cashier sees it. */
class Till {
  constructor(readonly page: Page) {}

  /** By the product's name. */
  async stock(): Promise<Record<string, number>> {
    const texts = await this.page
      .locator(".product")
      .evaluateAll((buttons) =>
        buttons.map(({ children }) => [children[1]?.textContent ?? "", children[3]?.textContent ?? ""] as const),
      );
    return Object.fromEntries(texts.map(([name, stock]) => [name, Number.parseInt(stock, 10)]));
  }
  link = () => this.page.locator("#link").textContent();
  waiting = () => this.page.locator("#waiting").textContent();
  sales = () => this.page.locator("#sales li:not(.none)").count();

  /** By touch: a product as often as it is touched, then Sell. */
  async touch(...names: string[]): Promise<void> {
    for (const name of names) await this.page.locator(".product", { hasText: name }).tap();
    await this.page.locator("#sell").tap();
    await this.sold();
  }
  /** By keyboard: products by their numbers, then Enter. */
  async type(keys: string): Promise<void> {
    for (const key of keys) await this.page.keyboard.press(key);
    await this.page.keyboard.press("Enter");
    await this.sold();
  }
  async sold(): Promise<void> {
    await expect.poll(() => this.page.locator("#message").textContent(), waits).toMatch(/^Sold: /);
    // The next one is told from this one.
    await this.page.locator("#message").evaluate((message) => {
      message.textContent = "";
    });
  }
}
const waits = { timeout: 30_000 };

describe.skipIf(missing)("two tills in a browser", { timeout: 240_000 }, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, headless: true, args });
  });
  afterAll(() => browser?.close());

  test("sell on while one is offline, then without a hub; stock adds up on both pages and in all databases", async () => {
    const run = runExample(["till"]);
    const output = await until(run, /start it again\.\n/);
    const folder = await browser.newContext({ hasTouch: true, viewport: { width: 1200, height: 860 } });
    const problems: string[] = [];
    const openTill = async (name: string) => {
      const page = await folder.newPage();
      page.on("pageerror", ({ message }) => problems.push(message));
      page.on("console", (line) => line.type() === "error" && problems.push(line.text()));
      await page.goto(new RegExp(`^${name}: (\\S+)$`, "m").exec(output)?.[1] ?? "");
      return new Till(page);
    };
    const [one, two] = [await openTill("till-1"), await openTill("till-2")];
    await expect.poll(() => two.link(), waits).toBe("Online");
    // The story has been told: eight sales.
    const before = await one.stock();
    expect(before).toEqual({ Bread: 29, Butter: 29, Coffee: 22, "Green tea": 11, Honey: 7, "Plum jam": 17 });
    const both = async (stock: Record<string, number>, sales: number) => {
      for (const till of [one, two]) {
        await expect.poll(() => till.stock(), waits).toEqual({ ...before, ...stock });
        await expect.poll(() => till.sales(), waits).toBe(sales);
      }
    };

    await one.touch("Bread", "Bread", "Honey");
    await both({ Bread: 27, Honey: 6 }, 9);

    await two.page.keyboard.press("l");
    await expect.poll(() => two.link(), waits).toBe("Offline: switched off");
    await one.touch("Bread", "Coffee");
    // Bread, butter, and honey three times, of which one is taken back.
    for (const key of ["1", "2", "5", "5", "5", "Backspace"]) await two.page.keyboard.press(key);
    await expect.poll(() => two.page.locator("#total").textContent()).toBe("19.70");
    await two.type("");
    await two.type("5555");
    // Three products and two receipts.
    await expect.poll(() => two.waiting(), waits).toBe("5 rows wait");
    // Neither knows what the other one sells.
    expect(await two.stock()).toEqual({ ...before, Bread: 26, Butter: 28, Honey: 0 });
    expect(await one.stock()).toEqual({ ...before, Bread: 26, Coffee: 21, Honey: 6 });
    const shot = process.env.TILL_SCREENSHOT;
    await two.page.keyboard.press("1");
    if (shot) {
      await two.page.waitForTimeout(600);
      await two.page.screenshot({ path: shot, clip: { x: 0, y: 0, width: 1200, height: 640 } });
    }
    await two.page.keyboard.press("Escape");

    await two.page.locator("#switch").tap();
    await expect.poll(() => two.link(), waits).toBe("Online");
    await both({ Bread: 25, Butter: 28, Coffee: 21, Honey: 0 }, 12);
    await expect.poll(() => two.waiting(), waits).toBe("nothing waits");

    run.child.stdin?.write("h\n");
    for (const till of [one, two]) await expect.poll(() => till.link(), waits).toMatch(/^Offline: the hub/);
    await Promise.all([one.type("15"), two.touch("Honey", "Green tea")]);
    // None was left: what lies on the counter is sold nevertheless.
    expect([(await one.stock()).Honey, (await two.stock()).Honey]).toEqual([-1, -1]);
    run.child.stdin?.write("h\n");
    const last = { Bread: 24, Butter: 28, Coffee: 21, Honey: -2, "Green tea": 10 };
    await both(last, 14);

    const [place] = /\S+hub\.db/.exec(output) ?? [""];
    for (const name of ["hub", "till-1", "till-2"]) {
      const stock = () => {
        const { products } = readDatabase(place.replace("hub.db", `${name}.db`));
        return Object.fromEntries(products.map((product) => [product.name, product.stock]));
      };
      await expect.poll(stock, waits).toEqual({ ...before, ...last });
    }
    expect(problems).toEqual([]);
    run.child.kill("SIGINT");
    expect(await run.ended).toBe(0);
    expect(run.left()).toEqual([]);
  });
});
