// Keys of rows as keys of a Map, in which equal values are not equal by themselves.
import { canonicalize, type Json } from "@grove-crdt/core";

/** A key's canonical text; a single text stands for itself. */
export const keyText = (pk: readonly Json[]): string =>
  pk.length === 1 && typeof pk[0] === "string" ? pk[0] : canonicalize(pk);
