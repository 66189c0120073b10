// What a seed stands for: the nodes, their links, what goes wrong, and every step with a seed of its own. A plan is data, so
// that it can be shrunk: without one step the others still do what they did.
import { createRandom, type Random } from "../random";
import type { ClockChange } from "./clock";
import { COLLECTION_POINTS, CRASH_POINTS, type CrashPoint } from "./crash";
import { drawLinks, type Link, SHAPES, type Shape } from "./topology";

export const WRITE_KINDS = [
  "count",
  "title",
  "tags",
  "plan",
  "fleeting",
  "fleetingPlan",
  "order",
  "batch",
  "linked",
  "note",
  "passing",
] as const;
export type WriteKind = (typeof WRITE_KINDS)[number];

/** Each a probability per message. */
export interface Faults {
  readonly requestLost: number;
  readonly answerLost: number;
  readonly doubled: number;
  readonly late: number;
}

/** What a node asks its peers for until it is widened. */
export type Narrowing = "documents alone" | "no linked tables" | "one key" | "one column";

export interface NodePlan {
  /** Microseconds that its clock is ahead of the world's. */
  readonly skew: number;
  readonly foreignKeys: boolean;
  /** Its schema is the older one at the start. */
  readonly isOld: boolean;
  readonly narrowed: Narrowing | null;
}

export type Step = {
  readonly seed: number;
  /** Microseconds that go by before it. */
  readonly wait: number;
  readonly node: number;
} & (
  | { readonly do: "write"; readonly kind: WriteKind }
  /** Exchanges with one of its peers, or with all at once. */
  | { readonly do: "sync"; readonly peer: number | null }
  | { readonly do: "fold" | "restart" | "backup" | "restore" | "copy" | "migrate" | "widen" | "late" }
  | { readonly do: "crash"; readonly point: CrashPoint; readonly passes: number }
  | { readonly do: "stream"; readonly peer: number; readonly frames: number }
  /** What is sent from the node to `to` gets lost from now on: all of it, or every other message. */
  | { readonly do: "cut"; readonly to: number; readonly how: "dead" | "flapping" }
  | { readonly do: "join"; readonly to: number }
  | { readonly do: "clock"; readonly change: ClockChange }
  /** Begins a collection of what was deleted until now, or until a while ago. `strike`: a node that is not waited for. */
  | { readonly do: "collect"; readonly strike: number | null; readonly older: boolean }
  /** Gives up what it began; or all exchange with all, in turn. */
  | { readonly do: "cancel" | "gather" }
);

export interface Plan {
  readonly seed: number;
  readonly shape: Shape;
  readonly nodes: readonly NodePlan[];
  /** Of `nodes` those that a smaller plan leaves out. */
  readonly absent: readonly number[];
  readonly links: readonly Link[];
  readonly pages: { readonly rows: number; readonly bytes: number };
  readonly faults: Faults;
  /** How likely somebody writes while a message is under way. */
  readonly between: number;
  readonly kinds: readonly WriteKind[];
  /** How many rows of each kind there are: few, so that writes meet. */
  readonly rows: number;
  /** The first rows were there before capture. */
  readonly adopted: boolean;
  /** Messages go through the router and HTTP; else from node to node as JSON. */
  readonly http: boolean;
  /** Operators collect deleted rows. All nodes have met before. */
  readonly collects: boolean;
  /** This node's clock leaves the bound: so far from the others'. */
  readonly drifting: { readonly node: number; readonly offset: number } | null;
  readonly steps: readonly Step[];
}

const SECOND = 1_000_000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;
/** As far as two clocks are apart, each stamp is welcome everywhere: half of it either way, with room for what stands still. */
const MOST_SKEW = 15 * SECOND;

/** Features of a run; each is off in many runs, so that some are calm enough to reach deep states. */
interface Features {
  readonly cuts: boolean;
  readonly crashes: boolean;
  readonly restarts: boolean;
  readonly restores: boolean;
  readonly copies: boolean;
  readonly clocks: boolean;
  readonly streams: boolean;
  readonly versions: boolean;
  readonly narrowed: boolean;
  readonly collections: boolean;
  readonly strikes: boolean;
}

/** @param own of a stream of its own: runs without collections are what they were before there were any */
function drawFeatures(random: Random, own: Random): Features {
  const versions = random.chance(0.2);
  const collections = own.chance(0.18);
  return {
    collections,
    strikes: own.chance(0.5) && !versions,
    cuts: random.chance(0.35),
    crashes: random.chance(0.45),
    restarts: random.chance(0.5),
    // What a restored node of an old schema had for columns that it does not know cannot be told from outside.
    restores: random.chance(0.3) && !versions,
    // A copy that takes another name is a new node, which no collection knows.
    copies: random.chance(0.12) && !collections,
    clocks: random.chance(0.35),
    streams: random.chance(0.35),
    versions,
    narrowed: random.chance(0.2),
  };
}

type Drawn = Step extends infer S ? (S extends Step ? Omit<S, "seed" | "wait"> : never) : never;

export function drawPlan(seed: number): Plan {
  const random = createRandom(seed);
  const features = drawFeatures(random, createRandom(seed * 31 + 17));
  const count = random.chance(0.06) ? random.between(6, 9) : random.pick([2, 2, 2, 3, 3, 3, 3, 4, 4, 5]);
  const shape = random.pick(SHAPES);
  const links = drawLinks(random, shape, count);
  const rate = (most: number) => (random.chance(0.5) ? 0 : random.next() * most);
  const faults = { requestLost: rate(0.3), answerLost: rate(0.3), doubled: rate(0.5), late: rate(0.4) };
  // A page for each row costs most.
  const pages = { rows: random.pick([1, 2, 3, 7, 7, 1000, 1000]), bytes: random.pick([300, 1_000_000, 1_000_000]) };
  // Ties are broken by node id where all clocks agree.
  const most = random.chance(0.2) ? 0 : random.pick([1_000, MOST_SKEW]);
  const nodes = Array.from({ length: count }, (): NodePlan => {
    const skew = random.between(-most, most);
    const foreignKeys = random.chance(0.7);
    const isOld = features.versions && random.chance(0.6);
    const narrowings = ["documents alone", "no linked tables", "one key", "one column"] as const;
    return {
      skew,
      foreignKeys,
      isOld,
      narrowed: features.narrowed && random.chance(0.5) ? random.pick(narrowings) : null,
    };
  });
  const drifting = random.chance(0.12)
    ? { node: random.below(count), offset: random.pick([HOUR, 10 * 365 * DAY, -HOUR, -365 * DAY]) }
    : null;
  const possible = WRITE_KINDS.filter((kind) => kind !== "passing" && (kind !== "note" || features.versions));
  const kinds = [...possible];
  while (kinds.length > random.pick([1, 2, 3, 4])) kinds.splice(random.below(kinds.length), 1);
  if (features.versions && !kinds.includes("note")) kinds.push("note", "note");
  if (features.collections) kinds.push("passing", "passing");

  const node = () => random.below(count);
  const peersOf = (of: number) => links.filter(([from]) => from === of).map(([, to]) => to);
  const drawPeer = (of: number): number | null => {
    const peers = peersOf(of);
    return peers.length === 0 ? null : random.pick(peers);
  };
  /** Each kind of step with its weight. */
  const choices: [weight: number, draw: () => Drawn | null][] = [
    [20, () => ({ do: "write", node: node(), kind: random.pick(kinds) })],
    [
      13,
      () => {
        const own = node();
        return { do: "sync", node: own, peer: random.chance(0.6) ? drawPeer(own) : null };
      },
    ],
    [1, () => ({ do: "fold", node: node() })],
    [faults.late > 0 ? 1 : 0, () => ({ do: "late", node: 0 })],
    [features.restarts ? 1.5 : 0, () => ({ do: "restart", node: node() })],
    [
      features.crashes ? 4 : 0,
      () => {
        const points = CRASH_POINTS.filter((one) => !COLLECTION_POINTS.includes(one));
        const isRare = features.collections && random.chance(0.6);
        const point = random.pick(isRare ? COLLECTION_POINTS : points);
        return { do: "crash", node: node(), point, passes: random.pick(isRare ? [0, 0, 1] : [0, 0, 1, 2, 5]) };
      },
    ],
    [
      features.streams ? 4 : 0,
      () => {
        const own = node();
        const peer = drawPeer(own);
        return peer === null ? null : { do: "stream", node: own, peer, frames: random.between(1, 4) };
      },
    ],
    [
      features.cuts ? 3 : 0,
      () => {
        const [one, other] = random.pick(links);
        const [from, to] = random.chance(0.5) ? [one, other] : [other, one];
        if (random.chance(0.4)) return { do: "join", node: from, to };
        return { do: "cut", node: from, to, how: random.chance(0.7) ? "dead" : "flapping" };
      },
    ],
    [features.restores ? 1.5 : 0, () => ({ do: "backup", node: node() })],
    [features.restores ? 1.5 : 0, () => ({ do: "restore", node: node() })],
    [features.copies ? 0.8 : 0, () => ({ do: "copy", node: node() })],
    [features.versions ? 1 : 0, () => ({ do: "migrate", node: node() })],
    [features.narrowed ? 1 : 0, () => ({ do: "widen", node: node() })],
    [
      features.clocks ? 3 : 0,
      () => ({
        do: "clock",
        node: node(),
        change: random.pick<ClockChange>(["stop", "go", "go", { offset: random.between(-MOST_SKEW, MOST_SKEW) }]),
      }),
    ],
    [
      features.collections ? 4 : 0,
      () => {
        const strike = features.strikes && random.chance(0.5) ? node() : null;
        return { do: "collect", node: node(), strike, older: random.chance(0.3) };
      },
    ],
    [features.collections ? 0.4 : 0, () => ({ do: "cancel", node: node() })],
    [features.collections ? 6 : 0, () => ({ do: "gather", node: 0 })],
    [
      drifting ? 2 : 0,
      () => ({
        do: "clock",
        node: drifting!.node,
        change: { offset: random.chance(0.7) ? drifting!.offset : (nodes[drifting!.node] as NodePlan).skew },
      }),
    ],
  ];
  const total = choices.reduce((sum, [weight]) => sum + weight, 0);
  const drawStep = (): Drawn => {
    let dice = random.next() * total;
    const chosen = choices.find(([weight]) => {
      dice -= weight;
      return dice < 0;
    });
    return chosen?.[1]() ?? drawStep();
  };
  const isLong = random.chance(0.1);
  const [fewest, longest] = features.collections ? [20, 40] : [10, 28];
  const steps = Array.from({ length: random.between(fewest, longest) }, (): Step => {
    // Somebody may be away for a month.
    const wait = isLong && random.chance(0.1) ? 30 * DAY : random.pick([0, 0, 1, 1000, 2 * SECOND]);
    return { ...drawStep(), wait, seed: random.below(2 ** 31) };
  });
  return {
    seed,
    shape,
    nodes,
    absent: [],
    links,
    pages,
    faults,
    between: random.pick([0, 0.1, 0.2]),
    kinds,
    rows: random.between(1, 3),
    adopted: random.chance(0.3),
    http: random.chance(0.15),
    drifting,
    collects: features.collections,
    steps,
  };
}
