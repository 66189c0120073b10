// The application's handlers: ordinary Drizzle on Postgres. Nothing in this file knows that another node writes too.
import { randomUUID } from "node:crypto";
import { eq, sql } from "drizzle-orm";
import type { PostgresJsDatabase } from "drizzle-orm/postgres-js";
import { Hono } from "hono";
import { validator } from "hono/validator";
import { z } from "zod";
import { documents } from "../../schema/postgres";

const fields = {
  title: z.string().optional(),
  body: z.string().optional(),
  tags: z.array(z.string()).optional(),
};
const creation = z.strictObject({ ...fields, id: z.string().default(() => randomUUID()), title: z.string() });
/** `views` = how many to add. */
const edit = z.strictObject({ ...fields, views: z.int().nonnegative().default(0) });

const json = <Schema extends z.ZodType>(schema: Schema) =>
  validator("json", (value, c) => {
    const parsed = schema.safeParse(value);
    return parsed.success ? parsed.data : c.json({ error: z.prettifyError(parsed.error) }, 400);
  });

export const documentRoutes = (db: PostgresJsDatabase) =>
  new Hono()
    .get("/", async (c) => c.json(await db.select().from(documents).orderBy(documents.id)))
    .post("/", json(creation), async (c) => {
      const [created] = await db.insert(documents).values(c.req.valid("json")).onConflictDoNothing().returning();
      return created ? c.json(created, 201) : c.json({ error: "There is a document with this id." }, 409);
    })
    .put("/:id", json(edit), async (c) => {
      const { views, ...fields } = c.req.valid("json");
      const [edited] = await db
        .update(documents)
        .set({ ...fields, viewCount: sql`${documents.viewCount} + ${views}` })
        .where(eq(documents.id, c.req.param("id")))
        .returning();
      return edited ? c.json(edited) : c.notFound();
    });
