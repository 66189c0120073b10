// How far the collections are that a node knows of, as people are told.
import { type Awaited, awaited, type Collection } from "@grove-crdt/core";

export interface CollectOptions {
  /** Forgets what was deleted before this time; omitted = until now. */
  readonly before?: Date;
  /** Node ids that are not waited for. */
  readonly strike?: readonly string[];
}

export interface RoundStatus {
  /** The node that began it. */
  readonly by: string;
  /** What was deleted up to this time is forgotten. */
  readonly before: Date;
  readonly struck: readonly string[];
  readonly state: "open" | "ended" | "cancelled";
  /** Nodes that it waits for, each with the reason. */
  readonly awaited: readonly Awaited[];
}

export interface CollectionStatus {
  /** What was deleted up to this time is forgotten here; null = nothing ever was. */
  readonly before: Date | null;
  /** Those under way, and the last one that ended. */
  readonly rounds: readonly RoundStatus[];
}

const toDate = (microseconds: number) => new Date(Math.floor(microseconds / 1000));

export const statusOf = ({ upTo, rounds }: Collection): CollectionStatus => ({
  before: upTo === 0 ? null : toDate(upTo),
  rounds: rounds.map((round) => {
    const state = round.verdict ? "ended" : round.cancelled ? "cancelled" : "open";
    const { by, struck } = round;
    return { by, before: toDate(round.upTo), struck, state, awaited: state === "open" ? awaited(round) : [] };
  }),
});
