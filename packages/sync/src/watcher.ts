// Notices that something was written: one poll for all who wait on a node, and none while nobody does. No driver of ours
// tells of commits, and NOTIFY in a trigger would slow every writer down; a look costs microseconds on SQLite and a
// fraction of a millisecond on Postgres.
import type { Activity, Store } from "@grove-crdt/store";

/** A database that somebody else pays for by the query is looked at less often after so many milliseconds in silence. */
const QUIET = 30_000;

/** Told what was found; without it, something was written that nobody has looked at yet. */
export type Wake = (found?: Activity) => void;

export class Watcher {
  readonly #listeners = new Map<Wake, number>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #lastSeq = -1;
  #lastChange = 0;
  #delay = 0;

  constructor(private readonly store: Pick<Store, "activity" | "polling">) {}

  /**
   * Calls `wake` whenever something may have been written, by whichever process. Returns how to stop.
   *
   * @param idle the longest wait between two looks, in milliseconds, however long nothing has been written
   */
  listen(wake: Wake, idle: number): () => void {
    this.#listeners.set(wake, idle);
    this.#lastChange = Date.now();
    // Who joins may want to be looked after more often than the others.
    if (this.#timer === null || this.#delay > idle) this.#schedule(0);
    return () => {
      this.#listeners.delete(wake);
      if (this.#listeners.size > 0 || this.#timer === null) return;
      clearTimeout(this.#timer);
      this.#timer = null;
    };
  }

  /** Something was written: a merge in this process, or a caller who knows. */
  notify(found?: Activity): void {
    this.#lastChange = Date.now();
    for (const wake of [...this.#listeners.keys()]) wake(found);
  }

  #schedule(milliseconds: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#delay = milliseconds;
    const timer = setTimeout(() => void this.#look(timer), milliseconds);
    this.#timer = timer;
  }

  async #look(timer: ReturnType<typeof setTimeout>): Promise<void> {
    const { active, slows } = this.store.polling;
    const longest = Math.min(...this.#listeners.values());
    let next = Math.min(active, longest);
    try {
      const found = await this.store.activity();
      if (found.pending || found.seq !== this.#lastSeq) {
        this.#lastSeq = found.seq;
        this.notify(found);
      } else if (slows && Date.now() - this.#lastChange > QUIET) {
        next = Math.min(this.#delay * 2, Math.max(active, longest));
      }
    } catch {
      // A database that cannot be asked now: whoever reads it will say so.
      next = longest;
    }
    // Unless somebody has stopped or hastened it meanwhile.
    if (this.#timer === timer) this.#schedule(next);
  }
}
