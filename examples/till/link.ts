// The till's link to the hub: a syncer with a switch, and how it stands, in the words of the page.
import type { Syncer } from "grove-crdt";

export interface LinkState {
  /** `off`: by the switch. `lost`: the hub does not answer. */
  readonly link: "online" | "lost" | "off";
  /** Rows that the hub has not acknowledged. */
  readonly waiting: number;
  /** When something last went well, milliseconds since 1970; null before that. */
  readonly lastExchange: number | null;
  /** What went wrong last, while it does. */
  readonly problem: string | null;
}

export class LinkSwitch {
  #running: { stop(): Promise<void> } | null = null;
  #turned: Promise<void> = Promise.resolve();

  constructor(private readonly syncer: Syncer) {}

  /** Resolves when it is done: off means that nothing is under way any more. */
  turn(on: boolean): Promise<void> {
    // One after the other: what stops has stopped before it starts again.
    this.#turned = this.#turned.then(async () => {
      if (on) this.#running ??= this.syncer.start();
      else {
        await this.#running?.stop();
        this.#running = null;
      }
    });
    return this.#turned;
  }

  async state(): Promise<LinkState> {
    const [peer] = await this.syncer.status();
    const link = !this.#running ? "off" : peer?.streaming ? "online" : "lost";
    return {
      link,
      waiting: peer?.pending.rows ?? 0,
      lastExchange: peer?.lastSuccess ?? null,
      problem: link === "lost" ? (peer?.lastError?.message ?? null) : null,
    };
  }
}
