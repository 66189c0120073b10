// Rejected changes of a node: listed, taken back, or sent again when somebody says so.
import { GroveError, type Json, type Outcome, type RowChange } from "@grove-crdt/core";
import type { RejectedChange, Rejection, Store } from "@grove-crdt/store";

/** A way to a peer, as a syncer has it. */
export interface Connected {
  /** The peer's node id, once it has answered. */
  readonly known: string | null;
  /** The row as the peer has it; null when it has none that we may see. */
  fetch(table: string, pk: readonly Json[]): Promise<RowChange | null>;
}

export class Rejections {
  readonly #links = new Set<Connected>();

  constructor(
    private readonly store: Store,
    private readonly merge: (from: string, rows: readonly RowChange[]) => Promise<{ outcomes: readonly Outcome[] }>,
  ) {}

  connect(link: Connected): void {
    this.#links.add(link);
  }

  async list(): Promise<readonly Rejection[]> {
    return (await this.store.rejections()).map(({ change: _, ...rejection }) => rejection);
  }

  async #one(id: number): Promise<RejectedChange> {
    const [rejection] = await this.store.rejections(id);
    if (rejection) return rejection;
    throw new GroveError("no_rejection", `There is no rejected change ${id}. node.rejected() lists them.`);
  }

  async revert(id: number): Promise<void> {
    const rejection = await this.#one(id);
    // Of what was set aside the row is gone: only the record is left.
    if (!rejection.sent || rejection.code === "struck_off") return this.store.forgetRejection(id);
    const { table, pk, peer } = rejection;
    const link = [...this.#links].find(({ known }) => known === peer);
    if (!link) {
      throw new GroveError(
        "not_connected",
        `No syncer of this process has met ${JSON.stringify(peer)}, and its row is needed. Create a syncer with its transport and let it sync first.`,
      );
    }
    await this.store.revert(rejection, await link.fetch(table, pk));
  }

  async retry(id: number): Promise<void> {
    const rejection = await this.#one(id);
    const { sent, peer, change } = rejection;
    if (rejection.code === "struck_off")
      throw new GroveError(
        "struck_off",
        "The row that this was written to is gone. Write it anew, then forget this by node.revert().",
      );
    if (sent) return this.store.retry(rejection);
    const { outcomes } = await this.merge(peer, [change]);
    await this.store.settleRejections(peer, false, [change], outcomes);
  }
}
