// How a row stands once it is decided whether it shows: why it does not, and the names of the keys under which it is to be
// found. Rows that show as they are need none: the base table finds them.
import type { Json } from "../model";
import { isAlive, type Row } from "../row";
import type { Decision, Reason } from "./decision";
import { keyOf, type Link, type Neighbours, targetOf, type Values, withoutParent } from "./link";

/** The code and message with which a row is kept out. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
}

/** What a database did not take in an earlier attempt, by the row's id. */
export interface Refused {
  /** Rows that it did not let in. */
  readonly rows: ReadonlyMap<string, Refusal>;
  /** Rows that it did not let out. */
  readonly stuck: ReadonlyMap<string, Refusal>;
}

/** How a row stands after the moves. */
export interface Standing {
  readonly id: string;
  readonly table: string;
  readonly pk: readonly Json[];
  readonly shows: boolean;
  /** Why a row that lives does not show, or one that is deleted still does; null where all is as it should be. */
  readonly refusal: Refusal | null;
  /** The names under which it is to be found; they replace those that the store has. */
  readonly hiddenKeys: readonly string[];
}

interface Standee {
  readonly id: string;
  readonly table: string;
  readonly pk: readonly Json[];
  readonly row: Row;
  readonly values: Values;
  readonly around: Neighbours;
}

/** What a standing takes of the rows around. */
export interface Surroundings {
  /** Names of the keys to which some row refers. */
  readonly wanted: ReadonlySet<string>;
  /** Rows that have a unique key which others may refer to, by its name. */
  readonly having: ReadonlyMap<string, readonly string[]>;
  readonly pkOf: ReadonlyMap<string, readonly Json[]>;
}

export function look(all: Iterable<Standee>, open: Iterable<Standee>): Surroundings {
  const wanted = new Set<string>();
  for (const { around, values } of open) for (const link of around.out) wanted.add(targetOf(link, values) ?? "");
  const having = new Map<string, string[]>();
  const pkOf = new Map<string, readonly Json[]>();
  for (const { id, pk, around, values } of all) {
    pkOf.set(id, pk);
    for (const place of around.referenced) {
      const name = keyOf(around.model, place, values);
      if (name) having.set(name, [...(having.get(name) ?? []), id]);
    }
  }
  return { wanted, having, pkOf };
}

/** @param candidate the row lives, or is deleted and may be kept */
export function standingOf(
  standee: Standee,
  candidate: boolean,
  decision: Decision,
  refused: Refused,
  surroundings: Surroundings,
): Standing {
  const { id, table, pk, row } = standee;
  const shows = decision.shown.has(id);
  const reason = decision.hidden.get(id);
  const own = refused.rows.get(id) ?? null;
  const stuck = shows ? undefined : refused.stuck.get(id);
  const hidden = isAlive(row) && reason ? explain(reason, standee, surroundings, own) : own;
  return {
    id,
    table,
    pk,
    shows,
    refusal: stuck ?? (shows ? null : hidden),
    hiddenKeys: candidate ? hiddenKeys(standee, decision, surroundings) : [],
  };
}

function hiddenKeys(standee: Standee, decision: Decision, { wanted, having }: Surroundings): string[] {
  const { id, row, around, values } = standee;
  const shown = decision.shown.get(id);
  const reason = decision.hidden.get(id);
  const keys = new Set<string>();
  const waitsFor = (links: readonly Link[]) => {
    for (const link of links) {
      for (const state of [values, { ...values, ...withoutParent(link) }]) {
        const name = targetOf(link, state);
        if (name) keys.add(`>${name}`);
        // A row that does not show may give the key up without telling which one it was.
        for (const parent of having.get(name ?? "") ?? []) keys.add(`>${parent}`);
      }
    }
  };
  if (!shown || shown.loose.length > 0) {
    for (const place of around.model.uniques.keys()) {
      const name = keyOf(around.model, place, values);
      if (name) keys.add(`=${name}`);
    }
  }
  if (shown) waitsFor(shown.loose);
  else {
    // A deleted row waits for its own parents only while somebody waits for it.
    const named = around.referenced.map((place) => keyOf(around.model, place, values) ?? "");
    if (isAlive(row) || [id, ...named].some((name) => wanted.has(name))) waitsFor(around.out);
  }
  for (const keeper of decision.keptBy.get(id) ?? []) keys.add(`>${keeper}`);
  if (reason?.code === "unique") keys.add(`>${reason.holder}`);
  return [...keys];
}

function explain(
  reason: Reason,
  { table, values }: Standee,
  { pkOf }: Surroundings,
  own: Refusal | null,
): Refusal | null {
  switch (reason.code) {
    case "unique": {
      const holder = JSON.stringify(pkOf.get(reason.holder));
      const message = `Another row took a unique key first: ${holder} (UNIQUE constraint of ${table}).`;
      return { code: "unique", message };
    }
    case "reference": {
      const { reference, columns, parent } = reason.link;
      const wanted = JSON.stringify(columns.map((name) => values[name]));
      const message = `${table}.${reference.columns.join(", ")} refers to a row of ${parent.name} that is not there: ${wanted}.`;
      return { code: "reference", message };
    }
    case "refused":
    case "deleted":
      return own;
  }
}
