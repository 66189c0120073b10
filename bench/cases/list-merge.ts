// List merges in memory, beside Yjs and Loro on the same work: two replicas of one list have each inserted at random places,
// and one of them takes what the other one did, change by change or all at once, and reads the array.
import { crdtTypes, decideMerge, type Entry, type Json, type Row, type RowChange } from "@grove-crdt/core";
import { LoroDoc } from "loro-crdt";
import * as Y from "yjs";
import { itemNamed, itemsNamed, random } from "../board";
import { type Bench, type Case, type Round, stopwatch } from "../harness";
import { boardsTable } from "../tables";

const ITEMS = 10_000;
const INSERTS = 200;

/** One library's way to do the work. */
interface Contender {
  /** A replica of the list as it was before anybody inserted. */
  replica(name: string): Replica;
  /** Changes as one. */
  join(changes: readonly unknown[]): unknown;
}

interface Replica {
  /** Inserts, and says what is to be sent of it. */
  insert(place: number, item: string): unknown;
  merge(change: unknown): void;
  read(): Json;
}

const [model] = boardsTable.registry.tables;
if (!model) throw new Error("The registry has no table.");
const { list } = crdtTypes;
const LIFE = [1, "origin"] as const;

const changeOf = (entries: readonly Entry[]): RowChange => ({
  table: model.name,
  pk: ["board"],
  cl: 1,
  life: LIFE,
  lww: { title: ["Board"] },
  list: { items: list.encode(entries) as never },
});

function ours(): Contender {
  let clock = 1;
  const contextOf = (node: string) => ({ node, incarnation: node, tick: () => ++clock });
  const start = changeOf(list.create(itemsNamed(ITEMS), contextOf("origin"), {}));
  return {
    replica(name) {
      let seq = 1;
      let row: Row = decideMerge(model!, { row: null, present: false }, start, { seq, from: "origin" }).row;
      const entries = () => row.fields.get("items")?.entries ?? [];
      // A merge gives the value that is written into the table.
      let value: Json | undefined;
      const merge = (change: RowChange, from: string | null) => {
        const merged = decideMerge(model!, { row, present: true }, change, { seq: ++seq, from });
        row = merged.row;
        value = merged.base.op === "update" ? merged.base.values.items : undefined;
      };
      return {
        insert(place, item) {
          const wanted = [...(list.materialize(entries()) as readonly Json[])];
          wanted.splice(place, 0, item);
          const change = changeOf(list.fold(entries(), wanted, contextOf(name), {}));
          merge(change, null);
          return change;
        },
        merge: (change) => merge(change as RowChange, "peer"),
        read: () => value ?? list.materialize(entries()),
      };
    },
    join: (changes) => {
      const all = (changes as RowChange[]).flatMap((change) => change.list?.items ?? []);
      return { ...(changes[0] as RowChange), list: { items: all } };
    },
  };
}

function yjs(): Contender {
  const origin = new Y.Doc();
  origin.getArray("items").insert(0, itemsNamed(ITEMS));
  const start = Y.encodeStateAsUpdate(origin);
  return {
    replica() {
      const doc = new Y.Doc();
      Y.applyUpdate(doc, start);
      const items = doc.getArray("items");
      let update: unknown;
      doc.on("update", (made: Uint8Array) => {
        update = made;
      });
      return {
        insert(place, item) {
          items.insert(place, [item]);
          return update;
        },
        merge: (change) => Y.applyUpdate(doc, change as Uint8Array),
        read: () => items.toJSON() as Json,
      };
    },
    join: (changes) => Y.mergeUpdates(changes as Uint8Array[]),
  };
}

function loro(): Contender {
  const origin = new LoroDoc();
  const own = origin.getMovableList("items");
  for (const [n, item] of itemsNamed(ITEMS).entries()) own.insert(n, item);
  origin.commit();
  const start = origin.export({ mode: "snapshot" });
  return {
    replica() {
      const doc = new LoroDoc();
      doc.import(start);
      const items = doc.getMovableList("items");
      return {
        insert(place, item) {
          const from = doc.oplogVersion();
          items.insert(place, item);
          doc.commit();
          return doc.export({ mode: "update", from });
        },
        merge: (change) => {
          if (Array.isArray(change)) doc.importBatch(change as Uint8Array[]);
          else doc.import(change as Uint8Array);
        },
        read: () => items.toJSON() as Json,
      };
    },
    join: (changes) => changes,
  };
}

/** Two replicas that have each inserted, the second one's changes, and what the first one reads once it has them. */
function prepare(contender: Contender, inserts: number) {
  const [local, remote] = [contender.replica("local"), contender.replica("remote")];
  const [here, there] = [random(1), random(2)];
  const changes: unknown[] = [];
  for (let n = 0; n < inserts; n++) {
    local.insert(Math.floor(here() * (ITEMS + n)), itemNamed(ITEMS + n));
    changes.push(remote.insert(Math.floor(there() * (ITEMS + n)), itemNamed(2 * ITEMS + n)));
  }
  return { local, changes };
}

function check(value: Json, inserts: number): void {
  const found = new Set(value as readonly Json[]).size;
  if (found !== ITEMS + 2 * inserts) throw new Error(`The list has ${found} items after the merge.`);
}

/** Merges per second. */
async function rate(contender: Contender, inserts: number, all: boolean): Promise<number> {
  const { local, changes } = prepare(contender, inserts);
  const parts = all ? [contender.join(changes)] : changes;
  let value: Json = null;
  const time = await stopwatch(() => {
    for (const part of parts) {
      local.merge(part);
      value = local.read();
    }
  });
  check(value, inserts);
  return (inserts / time) * 1000;
}

const beside = (name: string, other: () => Contender, all: boolean): Case => ({
  id: `list-merge-${all ? "page" : "each"}.${name}`,
  goal: null,
  better: "higher",
  unit: "merges/s",
  about: all
    ? `inserts into a list of 10,000 merged in memory, all at once, then the array read / the same by ${name}`
    : `the same one by one, the array read after each / the same by ${name}`,
  run: (bench: Bench): Promise<Round[]> => {
    const inserts = bench.size(INSERTS, 50);
    const [us, them] = [ours(), other()];
    return bench.interleave(
      () => rate(us, inserts, all),
      () => rate(them, inserts, all),
      bench.size(3, 1),
    );
  },
});

export const listMergeCases: readonly Case[] = [
  beside("yjs", yjs, false),
  beside("loro", loro, false),
  beside("yjs", yjs, true),
  beside("loro", loro, true),
];
