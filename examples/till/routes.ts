// What a till answers: its page, what the page shows, and what can be done on it.
import { readFileSync } from "node:fs";
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { validator } from "hono/validator";
import { z } from "zod";
import type { Board } from "./board";
import type { LinkSwitch } from "./link";
import type { Shop } from "./shop";

const order = z.strictObject({
  id: z.uuid(),
  lines: z.array(z.strictObject({ product: z.string(), count: z.int().min(1).max(999) })).min(1),
});
const position = z.strictObject({ on: z.boolean() });

const json = <Schema extends z.ZodType>(schema: Schema) =>
  validator("json", (value, c) => {
    const parsed = schema.safeParse(value);
    return parsed.success ? parsed.data : c.json({ error: z.prettifyError(parsed.error) }, 400);
  });

/** The page's files, by path. */
const page = {
  "/": ["page/index.html", "text/html; charset=utf-8"],
  "/till.css": ["page/till.css", "text/css; charset=utf-8"],
  "/till.js": ["page/till.js", "text/javascript; charset=utf-8"],
} as const;

export function tillRoutes<State extends object>(
  shop: Pick<Shop, "sell">,
  link: Pick<LinkSwitch, "turn">,
  board: Board<State>,
  state: () => Promise<State>,
) {
  const app = new Hono();
  for (const [path, [file, type]] of Object.entries(page)) {
    const text = readFileSync(new URL(file, import.meta.url), "utf8");
    app.get(path, (c) => c.body(text, 200, { "content-type": type }));
  }
  return app
    .get("/state", async (c) => c.json((await state()) as object))
    .get("/events", (c) =>
      streamSSE(c, async (stream) => {
        const left = new Promise<void>((resolve) => stream.onAbort(resolve));
        const leave = board.open((data) => void stream.writeSSE({ data }));
        await Promise.race([board.closed, left]);
        leave();
      }),
    )
    .post("/sales", json(order), (c) =>
      shop.sell(c.req.valid("json"))
        ? c.body(null, 204)
        : c.json({ error: "One of these products is not there any more." }, 409),
    )
    .put("/link", json(position), async (c) => {
      await link.turn(c.req.valid("json").on);
      await board.refresh();
      return c.body(null, 204);
    });
}
