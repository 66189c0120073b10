// What a hook must not do to a change, by what it is: fault 41 in all its shapes.
import type { ChangeRecord } from "grove-crdt";

export const never = () => new Promise<never>(() => {});
export const cyclic: { self?: unknown } = {};
cyclic.self = cyclic;
export const SECRET = "the password is swordfish";

/** What a hook may do to one change that it must not. */
export const faults: Record<string, (change: ChangeRecord) => unknown> = {
  "throws an Error": () => {
    throw new Error(SECRET);
  },
  "throws a text": () => {
    throw SECRET;
  },
  "throws undefined": () => {
    throw undefined;
  },
  "rejects its promise": async () => {
    throw new Error(SECRET);
  },
  hangs: never,
  "returns nothing": () => undefined,
  "returns a number": () => 5,
  "returns a text": () => "title",
  "returns true": () => true,
  "returns a list": (change) => [change],
  "returns an empty object": () => ({}),
  "returns a function": (change) => () => change,
  "promises nothing": async () => undefined,
  "promises a number": async () => 5,
  "returns what throws when it is looked at": (change) => ({
    ...change,
    get table() {
      throw new Error(SECRET);
    },
  }),
  "returns what throws when it is waited for": () => ({
    // biome-ignore lint/suspicious/noThenProperty: it is what this line is about
    then: () => {
      throw new Error(SECRET);
    },
  }),
  "gives another table": (change) => ({ ...change, table: "orders" }),
  "gives another key": (change) => ({ ...change, pk: ["other"] }),
  "gives a key without end": (change) => ({ ...change, pk: cyclic }),
  "gives another field": (change) => ({ ...change, field: "title" }),
  "gives another stamp": (change) => ({ ...change, hlc: change.hlc + 1 }),
  "gives another node": (change) => ({ ...change, nodeId: "somebody" }),
  "gives another life": (change) => ({ ...change, cl: change.cl + 2 }),
  "gives another type": (change) => ({ ...change, type: "set" }),
  "makes a tombstone of it": (change) => ({ ...change, tombstone: true }),
  "gives a counter": (change) => ({ ...change, counter: {} }),
  "takes the value away": ({ value: _, ...change }) => change,
  "gives NaN": (change) => ({ ...change, value: Number.NaN }),
  "gives undefined": (change) => ({ ...change, value: undefined }),
  "gives a Date": (change) => ({ ...change, value: new Date(0) }),
  "gives a function as value": (change) => ({ ...change, value: () => "t" }),
  "gives a symbol": (change) => ({ ...change, value: Symbol("t") }),
  "gives a bigint": (change) => ({ ...change, value: 5n }),
  "gives a Map": (change) => ({ ...change, value: new Map() }),
  "gives a value without end": (change) => ({ ...change, value: cyclic }),
  "gives a promise as value": (change) => ({ ...change, value: Promise.resolve("t") }),
  "gives a value that the column cannot hold": (change) => ({ ...change, value: { title: 5 } }),
  "writes into the change": (change) => Object.assign(change, { value: "written into" }),
  "writes into the key": (change) => {
    (change.pk as unknown[])[0] = "other";
    return change;
  },
};
/** The same of a counter, and of a set. */
export const countFaults: Record<string, (change: ChangeRecord) => unknown> = {
  "counts more": (change) => ({ ...change, counter: { totals: [["abc", "n-x", "99", "0", change.hlc]] } }),
  "turns it into a value": ({ counter: _, ...change }) => ({ ...change, type: "lww", value: 5 }),
  "writes into it": (change) => {
    (change.counter as { birth?: unknown }).birth = ["99", 1, "n-x"];
    return change;
  },
};
export const setFaults: Record<string, (change: ChangeRecord) => unknown> = {
  "adds an element": (change) => ({ ...change, set: [...(change.set ?? []), ["more", change.hlc, "n-x"]] }),
  "takes all elements away": (change) => ({ ...change, set: [] }),
};
