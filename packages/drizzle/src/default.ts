// A column's default, as the database fills it in when a row or the column itself is added. Where drizzle-kit would write
// another value into the migration than the one that the schema means, nodes would differ, so it is refused.
import type { Json } from "@grove-crdt/core";
import { type Column, is, SQL } from "drizzle-orm";
import type { Report } from "./diagnostics";

/** How one dialect writes, stores and reads back a constant. `Stored` is what its databases hold; never NULL. */
export interface DefaultRules<Stored> {
  /** The text that drizzle-kit puts after DEFAULT; null where it cannot. */
  readonly clause: string | null;
  /** The value of a constant; null for NULL, undefined when the database would have to compute it. */
  parse(clause: string): Stored | null | undefined;
  /** In canonical form; undefined when the column cannot hold it, or when only the database knows how it is stored. */
  toWire(stored: Stored): Json | undefined;
  /** What Drizzle hands to the driver for the default; undefined where the column's own mapping fails on it. */
  driverValue(): Stored | null | undefined;
  /** The constant as SQL, to be shown in a cure. */
  print(stored: Stored): string;
}

/** The default in canonical form; undefined when there is none, and when it was reported as unfit. */
export function decideDefault<Stored>(
  column: Column,
  { name, kind }: { readonly name: string; readonly kind: string },
  rules: DefaultRules<Stored>,
  report: Report,
): Json | undefined {
  if (column.default === undefined) return undefined;
  const { clause } = rules;
  const stored = clause === null ? undefined : rules.parse(clause);
  if (is(column.default, SQL)) {
    if (stored === undefined) {
      reportVolatile(name, clause, report);
      return undefined;
    }
    if (stored === null) return undefined;
    const wire = rules.toWire(stored);
    if (wire === undefined) {
      report({
        column: name,
        code: "default_invalid",
        problem: `its default ${clause} is no ${kind} as the column stores it`,
        cure: "Write the value as the column gives it back, or leave the default out.",
      });
    }
    return wire;
  }
  const written = rules.driverValue();
  const meant = written === null || written === undefined ? undefined : rules.toWire(written);
  const got = stored === null || stored === undefined ? undefined : rules.toWire(stored);
  if (meant !== undefined && JSON.stringify(meant) === JSON.stringify(got)) return meant;
  report({
    column: name,
    code: "default_invalid",
    problem: `drizzle-kit writes its default as ${clause ?? "nothing"}, which the column does not read back as it was given`,
    cure:
      meant === undefined
        ? "Give a default that fits the column, spelled as the column gives it back."
        : `Write it as \`.default(sql\`${rules.print(written as Stored)}\`)\`.`,
  });
  return undefined;
}

export function reportVolatile(name: string, clause: string | null, report: Report): void {
  report({
    column: name,
    code: "volatile_default",
    problem: `its default ${clause ?? ""} is computed by the database`.replace("  ", " "),
    cure: "Use a constant, or compute it in the app with `.$defaultFn(() => …)`.",
  });
}
