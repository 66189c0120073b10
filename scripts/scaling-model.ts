// A simulation of many edges on several hubs, event by event: what each push, page and stream costs a hub's one thread is measured,
// the rest follows. Pure, with a seed: the same costs give the same figures.

/** Milliseconds of processor time on a hub, measured by the benchmarks; memory in KiB. */
export interface Costs {
  /** A push of one change by an edge, with its request. */
  readonly push: number;
  /** A row merged, or served, as one of a page. */
  readonly merge: number;
  readonly serve: number;
  /** A page handed to one open stream. */
  readonly deliver: number;
  /** A stream that is opened. */
  readonly open: number;
  readonly streamMemory: number;
}

export interface Scenario {
  readonly edges: number;
  readonly hubs: number;
  /** Seconds between two changes of an edge. */
  readonly every: number;
  /** Edges that a change is streamed to, its writer's own group; they are all on its hub. `"all"`: every edge. */
  readonly group: number | "all";
  /** Whether every hub gets every change, through one hub in the middle. */
  readonly joined: boolean;
}

/** A part of a hub's work, in shares of its one thread: 1 is full. */
export type Work = "push" | "stream" | "exchange";

export interface Outcome {
  /** Milliseconds. */
  readonly pushP99: number;
  readonly visibleP99: number;
  /** What waits becomes more and more: the hubs do not keep up. */
  readonly grows: boolean;
  readonly hub: Readonly<Record<Work, number>>;
  /** The hub in the middle; 0 without one. */
  readonly middle: number;
  /** MiB of a hub for its streams. */
  readonly memory: number;
  /** Seconds until all streams of a hub that was restarted are open again. */
  readonly back: number;
}

/** Milliseconds from machine to machine, one way. */
const WAY = 20;
const PAGE_ROWS = 1_000;
const SECONDS = 20;
/** Enough for a 99th percentile; a hub that does not keep up is told by its share long before. */
const MOST_PUSHES = 60_000;

/** One thread: work waits for what came before. */
class Thread {
  #free = 0;
  readonly busy: Record<Work, number> = { push: 0, stream: 0, exchange: 0 };
  work(now: number, kind: Work, cost: number): number {
    this.busy[kind] += cost;
    this.#free = Math.max(this.#free, now) + cost;
    return this.#free;
  }
}

/** What waits to be taken together, as one page, as soon as the last one is through. */
class Gate {
  waiting: number[] = [];
  closed = false;
}

type Event = () => void;

/** Events in the order of their times. */
class Agenda {
  readonly #heap: [at: number, event: Event][] = [];
  add(at: number, event: Event): void {
    const heap = this.#heap;
    let n = heap.push([at, event]) - 1;
    while (n > 0) {
      const up = (n - 1) >> 1;
      if ((heap[up] as [number, Event])[0] <= at) break;
      heap[n] = heap[up] as [number, Event];
      n = up;
    }
    heap[n] = [at, event];
  }
  next(): [number, Event] | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (heap.length === 0 || !last) return first;
    let n = 0;
    for (;;) {
      let down = 2 * n + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && (heap[down + 1] as [number, Event])[0] < (heap[down] as [number, Event])[0]) down++;
      if ((heap[down] as [number, Event])[0] >= last[0]) break;
      heap[n] = heap[down] as [number, Event];
      n = down;
    }
    heap[n] = last;
    return first;
  }
}

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
/** Whether the last quarter of the waits is twice as long as the second, and so long that it is no accident. */
function growing(waits: readonly number[]): boolean {
  const quarter = waits.length >> 2;
  const last = median(waits.slice(3 * quarter));
  return last > 500 && last > 1.5 * median(waits.slice(quarter, 2 * quarter));
}
const p99 = (values: number[]) => values.sort((a, b) => a - b)[Math.floor((values.length - 1) * 0.99)] ?? 0;

export function simulate({ edges, hubs, every, group, joined }: Scenario, costs: Costs): Outcome {
  const draw = random(1);
  const agenda = new Agenda();
  const perHub = edges / hubs;
  const rate = perHub / every / 1000;
  const length = Math.min(SECONDS * 1000, MOST_PUSHES / (rate * hubs));
  const threads = Array.from({ length: hubs }, () => new Thread());
  const streams = threads.map(() => new Gate());
  const links = threads.map(() => new Gate());
  const middle = new Thread();
  const pushes: number[] = [];
  const visible: number[] = [];

  /** Hands what waits to the streams of a hub, page by page. `written`: when each change was. */
  const deliver = (hub: number, now: number, written: readonly number[]) => {
    const gate = streams[hub] as Gate;
    gate.waiting.push(...written);
    if (gate.closed || gate.waiting.length === 0) return;
    const page = gate.waiting.splice(0, PAGE_ROWS);
    const readers = Math.min(perHub, group === "all" ? perHub : page.length * (group - 1));
    gate.closed = true;
    const done = (threads[hub] as Thread).work(now, "stream", page.length * costs.serve + readers * costs.deliver);
    agenda.add(done, () => {
      gate.closed = false;
      for (const at of page) visible.push(done + WAY - at);
      deliver(hub, done, []);
    });
  };

  /** Sends what waits from a hub through the middle to all others, page by page. */
  const exchange = (hub: number, now: number, written: readonly number[]) => {
    const gate = links[hub] as Gate;
    gate.waiting.push(...written);
    if (gate.closed || gate.waiting.length === 0) return;
    const page = gate.waiting.splice(0, PAGE_ROWS);
    const rows = page.length;
    gate.closed = true;
    const sent = (threads[hub] as Thread).work(now, "exchange", rows * costs.serve);
    agenda.add(sent + WAY, () => {
      const merged = middle.work(sent + WAY, "exchange", costs.push + (rows - 1) * costs.merge);
      agenda.add(merged, () => {
        gate.closed = false;
        exchange(hub, merged, []);
        const served = middle.work(merged, "exchange", rows * costs.serve + (hubs - 1) * costs.deliver);
        for (let other = 0; other < hubs; other++) {
          if (other === hub) continue;
          agenda.add(served + WAY, () => {
            const taken = (threads[other] as Thread).work(
              served + WAY,
              "exchange",
              costs.push + (rows - 1) * costs.merge,
            );
            // One of the other hubs tells when its edges could see the change at the earliest.
            if (other === (hub + 1) % hubs) for (const at of page) visible.push(taken - at);
            if (group === "all") agenda.add(taken, () => deliver(other, taken, page));
          });
        }
      });
    });
  };

  const push = (hub: number, now: number) => {
    const next = now - Math.log(draw()) / rate;
    if (next < length) agenda.add(next, () => push(hub, next));
    const arrived = now + WAY;
    // An event of its own: a thread takes work in the order in which it comes, and not when it was sent.
    agenda.add(arrived, () => {
      const done = (threads[hub] as Thread).work(arrived, "push", costs.push);
      pushes.push(done + WAY - now);
      agenda.add(done, () => {
        if (group === "all" || group > 1) deliver(hub, done, [now]);
        if (joined && hubs > 1) exchange(hub, done, [now]);
      });
    });
  };

  for (let hub = 0; hub < hubs; hub++) {
    const first = -Math.log(draw()) / rate;
    agenda.add(first, () => push(hub, first));
  }
  for (let event = agenda.next(); event && event[0] < length; event = agenda.next()) event[1]();
  const share = (kind: Work) => Math.max(...threads.map(({ busy }) => busy[kind])) / length;
  return {
    // Pushes come one by one; what else there is becomes cheaper by the row the more of it waits.
    grows: share("push") >= 1 || growing(pushes) || growing(visible),
    pushP99: p99(pushes),
    visibleP99: p99(visible),
    hub: { push: share("push"), stream: share("stream"), exchange: share("exchange") },
    middle: middle.busy.exchange / length,
    memory: (perHub * costs.streamMemory) / 1024,
    back: (perHub * costs.open) / 1000,
  };
}

/** What is full first, or nothing. A thread above four fifths is as good as full: any gust fills it. */
export const FULL = 0.8;
export function breaksFirst({ hub, middle }: Outcome): Work | "middle" | null {
  const whole = hub.push + hub.stream + hub.exchange;
  if (Math.max(whole, middle) < FULL) return null;
  if (middle > whole) return "middle";
  return (Object.entries(hub) as [Work, number][]).reduce((most, next) => (next[1] > most[1] ? next : most))[0];
}
