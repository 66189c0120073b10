// A store that knows what it is at, so that a node can say when nothing of its own uses the database any more.
import type { Store } from "@grove-crdt/store";

export class InFlight {
  readonly #work = new Set<Promise<unknown>>();

  /** The same store, with account kept of every call. */
  track(store: Store): Store {
    return new Proxy(store, {
      get: (target, name) => {
        const member = Reflect.get(target, name) as unknown;
        if (typeof member !== "function") return member;
        return (...args: unknown[]) => {
          const result: unknown = member.apply(target, args);
          if (result instanceof Promise) {
            this.#work.add(result);
            const end = () => void this.#work.delete(result);
            result.then(end, end);
          }
          return result;
        };
      },
    });
  }

  /** Resolves once no call is under way. */
  async ended(): Promise<void> {
    // What waited for one may begin the next.
    while (this.#work.size > 0) {
      await Promise.allSettled(this.#work);
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
}
