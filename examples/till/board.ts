// What all open pages of a till show: read once for all of them when something has changed, sent to each.
import type { GroveNode } from "grove-crdt";

export class Board<State> {
  readonly #pages = new Set<(text: string) => void>();
  #sent = "";
  #reading: Promise<void> | null = null;
  #again = false;
  #close: () => void = () => {};
  /** Resolves when there will be nothing new any more: the node was closed. */
  readonly closed = new Promise<void>((resolve) => {
    this.#close = resolve;
  });

  constructor(private readonly read: () => Promise<State>) {}

  /** Calls `show` with the state as JSON, now and whenever it is another one. Returns how to stop. */
  open(show: (text: string) => void): () => void {
    this.#pages.add(show);
    if (this.#sent !== "") show(this.#sent);
    void this.refresh();
    return () => this.#pages.delete(show);
  }

  /** Reads the state again. Whoever calls while it is being read gets one more look. */
  async refresh(): Promise<void> {
    this.#again = true;
    this.#reading ??= (async () => {
      while (this.#again) {
        this.#again = false;
        const text = JSON.stringify(await this.read());
        if (text === this.#sent) continue;
        this.#sent = text;
        for (const show of this.#pages) show(text);
      }
    })().finally(() => {
      this.#reading = null;
    });
    await this.#reading;
  }

  /** Until the node is closed: follows its tables, and looks every `interval` milliseconds what has become of the link. */
  async follow(node: GroveNode, interval: number): Promise<void> {
    const timer = setInterval(() => this.#pages.size > 0 && void this.refresh(), interval);
    try {
      for await (const _ of node.changes()) await this.refresh();
    } finally {
      clearInterval(timer);
      this.#close();
    }
  }
}
