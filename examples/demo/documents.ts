// The demo's app: ordinary Drizzle behind ordinary endpoints. Nothing in this file knows that others write too.
import { randomUUID } from "node:crypto";
import { eq, sql } from "drizzle-orm";
import type { BetterSQLite3Database } from "drizzle-orm/better-sqlite3";
import { Hono } from "hono";
import { validator } from "hono/validator";
import { z } from "zod";
import { documents } from "../../schema/sqlite";

const edit = z.strictObject({
  title: z.string().optional(),
  body: z.string().optional(),
  tags: z.array(z.string()).optional(),
  /** How many views to add. */
  views: z.int().nonnegative().default(0),
});
const creation = z.strictObject({ id: z.string().default(() => randomUUID()), title: z.string() });

const json = <Schema extends z.ZodType>(schema: Schema) =>
  validator("json", (value, c) => {
    const parsed = schema.safeParse(value);
    return parsed.success ? parsed.data : c.json({ error: z.prettifyError(parsed.error) }, 400);
  });

export const documentRoutes = (db: BetterSQLite3Database) =>
  new Hono()
    .get("/", (c) => c.json(db.select().from(documents).orderBy(documents.id).all()))
    .post("/", json(creation), (c) => {
      const created = db.insert(documents).values(c.req.valid("json")).onConflictDoNothing().returning().get();
      return created ? c.json(created, 201) : c.json({ error: "There is a document with this id." }, 409);
    })
    .put("/:id", json(edit), (c) => {
      const { views, ...fields } = c.req.valid("json");
      const edited = db
        .update(documents)
        .set({ ...fields, viewCount: sql`${documents.viewCount} + ${views}` })
        .where(eq(documents.id, c.req.param("id")))
        .returning()
        .get();
      return edited ? c.json(edited) : c.notFound();
    })
    .delete("/:id", (c) => {
      const { changes } = db
        .delete(documents)
        .where(eq(documents.id, c.req.param("id")))
        .run();
      return changes > 0 ? c.body(null, 204) : c.notFound();
    });
