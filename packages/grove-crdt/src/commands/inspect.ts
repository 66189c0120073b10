// `grove-crdt inspect`: one row for people: what each column says, who wrote it and when, and what it is made of. Writes nothing.
import {
  type ColumnModel,
  type ExplainedPart,
  GroveError,
  type Json,
  type TableModel,
  type Written,
} from "@grove-crdt/core";
import type { SeenExplained } from "@grove-crdt/sync";
import type { Command } from "commander";
import { counted, isoMoment, moment, printRows, shown } from "./lines";
import { type NodeCommandOptions, nodeCommand, withNode } from "./node-command";
import { type Terminal, terminalFor } from "./terminal";

const FOUND = {
  0: "told, also of a deleted row",
  1: "an error: no such table, or the key is of another kind",
  2: "nobody ever wrote a row with this key",
};

export const inspectCommand = (): Command =>
  nodeCommand("inspect", FOUND)
    .description(
      "Tell all that is known of one row: each column's value and type, who wrote it last and when, counters' totals by node, the contents of sets, lists and documents. Of deleted rows too. Writes nothing.",
    )
    .argument("<table>", "the table's name in the database")
    .argument("<key...>", "the values of its key columns, in their order")
    .action(async (table: string, key: string[], options: NodeCommandOptions) => {
      const found = await inspect({ ...options, table, key }, process.cwd(), terminalFor(process.stdout));
      if (!found) process.exitCode = 2;
    });

export interface InspectOptions extends NodeCommandOptions {
  readonly table: string;
  readonly key: readonly string[];
}

/**
 * @param cwd what relative paths count from
 * @returns whether anything is known of the row
 * @throws GroveError `schema_load_failed`, `schema_invalid`, `capture_missing`, `unknown_table`, `bad_value`
 */
export async function inspect(options: InspectOptions, cwd: string, terminal: Terminal): Promise<boolean> {
  return withNode(options, cwd, async (node, { registry }) => {
    const { table, key } = options;
    const model = registry.tables.find(({ name }) => name === table);
    if (!model) {
      const known = registry.tables.map(({ name }) => name).join(", ");
      throw new GroveError("unknown_table", `There is no synced table ${JSON.stringify(table)}. There are: ${known}.`);
    }
    const pk = readKey(model, key);
    const row = await node.explain(table, pk);
    if (options.json) terminal.print(JSON.stringify(row && toJson(row as unknown as Json), null, 2));
    else if (row) print(terminal, row);
    else terminal.print(`${terminal.style("yellow", "unknown")} nobody ever wrote ${table} ${shown(pk)}`);
    return row !== null;
  });
}

function readKey({ name, key }: TableModel, texts: readonly string[]): Json[] {
  if (texts.length !== key.length) {
    const columns = key.map((column) => column.name).join(", ");
    throw new GroveError(
      "bad_value",
      `The key of ${name} is ${columns}: give ${counted(key.length, "value")}, not ${texts.length}.`,
    );
  }
  return key.map((column, n) => readValue(column, texts[n] as string));
}

/** As it is written on the wire, where a text says it otherwise. */
function readValue({ kind }: ColumnModel, text: string): Json {
  if (kind === "boolean" && (text === "true" || text === "false")) return text === "true";
  if (kind === "integer" && /^-?\d+$/.test(text)) return Number.isSafeInteger(Number(text)) ? Number(text) : text;
  if (kind === "real" && text !== "" && Number.isFinite(Number(text))) return Number(text);
  if (kind === "timestamp" && !Number.isNaN(Date.parse(text)) && !/\.\d{6}Z$/.test(text))
    return new Date(text).toISOString().replace("Z", "000Z");
  return text;
}

/** Times as programs read them. */
function toJson(value: Json): Json {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(toJson);
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => {
      // A user's own value may have such a property too.
      if (name === "value" || name === "element" || name === "item" || name === "pk") return [name, part];
      return [name, name === "at" && typeof part === "number" ? isoMoment(part) : toJson(part)];
    }),
  );
}

const by = ({ node, at }: Written, otherwise = "default, or from before capture"): string =>
  node === null ? otherwise : `${node}, ${moment(at as number)}`;

/** A counter's value is a decimal string, so that 64 bits arrive; people read a number. */
const inShort = ({ type, value }: ExplainedPart): string => (type === "counter" ? String(value) : shown(value));

function print(terminal: Terminal, row: SeenExplained): void {
  const { print: line, style } = terminal;
  const { table, pk, lives, life, written, fields, unfolded, parked } = row;
  const again = life > 1 ? `, life ${life}` : "";
  const state = lives ? style("green", "lives") : style("red", "deleted");
  line(
    `${style("bold", table)} ${shown(pk)} ${state}${again}  ${style("dim", `${lives ? "inserted" : "deleted"} by ${by(written, "nobody: from before capture")}`)}`,
  );
  if (parked) line(`  ${style("yellow", "parked")} ${parked.code}: ${parked.message}`);
  if (unfolded > 0)
    line(
      `  ${style("yellow", "unfolded")} ${counted(unfolded, "write")} of it ${unfolded === 1 ? "waits" : "wait"} to be folded: values may be newer than what stands behind them`,
    );
  const columns: string[][] = [];
  for (const { field, known, ...part } of fields) {
    const name = known ? field : `${field} ${style("dim", "(not in this schema)")}`;
    columns.push(
      [name, style("dim", part.type), inShort(part), style("dim", by(part.written))],
      ...contents(terminal, part, "  "),
    );
  }
  printRows(terminal, columns);
}

/** What a value is made of, one row of cells for each part. */
function contents({ style }: Terminal, part: ExplainedPart, indent: string): string[][] {
  const row = (what: string, value: string, who: string) => [indent + style("dim", what), "", value, style("dim", who)];
  const rows: string[][] = [];
  const { birth, totals = [], elements = [], items = [], paths = [] } = part;
  if (birth && totals.length > 0) rows.push(row("born as", birth.value, by(birth)));
  for (const { node, up, down, at } of totals)
    rows.push(
      row(
        "counted",
        [...(up === "0" ? [] : [`+${up}`]), ...(down === "0" ? [] : [`-${down}`])].join(" ") || "0",
        by({ node, at }),
      ),
    );
  for (const { element, added } of elements)
    rows.push(row("element", shown(element), added.map((one) => by(one)).join("; ")));
  for (const { item, added, edited, moved } of items) {
    const who = [by(added), ...(edited ? [`edited ${by(edited)}`] : []), ...(moved ? [`moved ${by(moved)}`] : [])];
    rows.push(row("item", shown(item), who.join("; ")));
  }
  for (const { path, ...own } of paths) {
    rows.push([indent + path.join("."), style("dim", own.type), inShort(own), style("dim", by(own.written))]);
    rows.push(...contents({ style } as Terminal, own, `${indent}  `));
  }
  return rows;
}
