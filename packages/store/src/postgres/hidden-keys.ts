// `_grove_hidden_keys`: where rows are found that the base table does not show as they are, by the names of the keys that
// they claim or wait for. Which names these are is core's affair.
import type { Json } from "@grove-crdt/core";
import type { Session } from "./session";
import { toParams } from "./sql";

export interface HiddenRow {
  readonly table: string;
  readonly pk: readonly Json[];
}

/** Mostly nothing is hidden, which one probe tells. */
export const anyHidden = async (session: Session): Promise<boolean> =>
  (await session.rows("SELECT 1 FROM public._grove_hidden_keys LIMIT 1")).length > 0;

/** The rows that are kept under each of these names. */
export async function readHidden(session: Session, names: readonly string[]): Promise<Map<string, HiddenRow[]>> {
  const found = new Map<string, HiddenRow[]>();
  const rows = await session.rows(
    "SELECT DISTINCT h.name, h.tbl, h.pk FROM unnest($1::text::text[]) v(name) JOIN public._grove_hidden_keys h ON h.name = v.name",
    toParams(
      1,
      names.map((name) => [name]),
    ),
  );
  for (const [name, table, pk] of rows) {
    const row = { table: table as string, pk: JSON.parse(pk as string) as Json[] };
    found.set(name as string, [...(found.get(name as string) ?? []), row]);
  }
  return found;
}

/** Replaces the names of rows. */
export async function saveHidden(
  session: Session,
  rows: readonly (HiddenRow & { readonly hiddenKeys: readonly string[] })[],
): Promise<void> {
  if (rows.length === 0) return;
  const keys = rows.map(({ table, pk }) => [table, JSON.stringify(pk)] as const);
  await session.rows(
    "DELETE FROM public._grove_hidden_keys h USING unnest($1::text::text[], $2::text::text[]) v(tbl, pk) WHERE h.pk = v.pk AND h.tbl = v.tbl",
    toParams(2, keys),
  );
  const names = rows.flatMap(({ hiddenKeys }, n) => hiddenKeys.map((name) => [name, ...(keys[n] ?? [])]));
  if (names.length === 0) return;
  await session.rows(
    "INSERT INTO public._grove_hidden_keys (name, tbl, pk) SELECT * FROM unnest($1::text::text[], $2::text::text[], $3::text::text[])",
    toParams(3, names),
  );
}
