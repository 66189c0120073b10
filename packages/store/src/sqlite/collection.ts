// Collection on SQLite: its rounds, and what is forgotten once all have agreed.
import { type Collection, collectRow, type Json, memberOf, type Round, type TableModel } from "@grove-crdt/core";
import {
  type CollectionFacts,
  type CollectionStep,
  decideStep,
  HAS_MET,
  LACKS,
  mayClose,
  readCollection,
  worthCollecting,
} from "../collection";
import { allRows } from "./all-rows";
import { applyShadow } from "./apply";
import type { Statements } from "./driver";
import { collectKept } from "./elsewhere";
import { recordStates } from "./history";
import type { Session } from "./session";
import type { Table } from "./table";

export const collectionOf = (statements: Statements): Collection =>
  readCollection(statements.row("SELECT upto, rounds, rejoining FROM _grove_collection WHERE id = 1"));

export interface CollectionOptions {
  readonly maxClockDrift: number;
  readonly random: () => number;
  readonly models: readonly TableModel[];
}

function factsOf({ statements, node, incarnation, now, clock }: Session, options: CollectionOptions): CollectionFacts {
  const peers = statements.rows("SELECT peer FROM _grove_peers").map(([peer]) => peer as string);
  const [hasMet, lacks] = statements.row(`SELECT ${HAS_MET("")}, ${LACKS("")}`) as [number, number];
  return { ...options, node, incarnation, now, clock, peers, isNew: hasMet === 0, lacks: lacks === 1 };
}

/** Forgets what the round's verdict names. The log must be empty. */
function collect(session: Session, tables: readonly Table[], round: Round): void {
  const { statements } = session;
  for (const table of tables) {
    const where = worthCollecting(table, table.model, round);
    if (where === null) continue;
    const gone: number[] = [];
    const left: Json[][] = [];
    for (const { key, row } of allRows(session, table, session.seq, where)) {
      const changes = collectRow(table.model, row, round);
      if (changes === "forgotten") gone.push(row.id);
      else if (changes) {
        applyShadow(session, table, key, changes);
        left.push(table.pk(key, 0));
      }
    }
    recordStates(session, table, left);
    for (const id of gone) {
      statements.writer(`DELETE FROM ${table.cells} WHERE row = ?`).run(id);
      statements.writer(`DELETE FROM ${table.shadow} WHERE id = ?`).run(id);
    }
  }
  collectKept(session, round);
  // Rows have changed under their old numbers: whoever compares next reads them all.
  statements.run("UPDATE _grove_trees SET shape = ''");
}

/** @returns the collection after the step; `isStruck`: the others have collected without this node */
export function stepCollection(
  session: Session,
  tables: readonly Table[],
  step: CollectionStep,
  options: Omit<CollectionOptions, "models">,
): { readonly collection: Collection; readonly isStruck: boolean } {
  const current = collectionOf(session.statements);
  // Whoever closes does so under an incarnation later than those of all processes on this file.
  if (mayClose(current, step, session.node)) {
    const newest = "SELECT id FROM _grove_incarnations ORDER BY ordinal DESC LIMIT 1";
    if (session.incarnation !== session.statements.row(newest)?.[0]) session.renew();
  }
  const models = tables.map(({ model }) => model);
  const {
    collection,
    collect: round,
    isStruck,
    clock,
  } = decideStep(current, step, factsOf(session, { ...options, models }));
  session.clock = clock;
  if (round) collect(session, tables, round);
  if (JSON.stringify(collection) !== JSON.stringify(current)) {
    session.statements.run(
      "INSERT INTO _grove_collection (id, upto, rounds, closed) VALUES (1, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET upto = excluded.upto, rounds = excluded.rounds, closed = coalesce(excluded.closed, closed)",
      collection.upTo,
      JSON.stringify(collection.rounds),
      collection.rounds.some((one) => memberOf(one, session.node)?.closing === session.incarnation)
        ? session.incarnation
        : null,
    );
  }
  return { collection, isStruck };
}
