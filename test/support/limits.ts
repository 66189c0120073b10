// Routers with limits of their own, for the tests of limits.
import { type Limits, syncRouter } from "grove-crdt";
import { authenticate, type Who } from "./callers";
import type { TestNode } from "./node";

export const STAMP = 1_700_000_000_000_000;
export const [ANN, BOB]: readonly [Who, Who] = [{ id: "ann" }, { id: "bob" }];
/** A router of the node with these limits alone; everybody may bring what others wrote. */
export const limited = (
  { node }: Pick<TestNode, "node">,
  limits: Partial<Limits> = {},
  options: Partial<Parameters<typeof syncRouter<Who>>[1]> = {},
) =>
  syncRouter(node, {
    authenticate: authenticate as never,
    mayRelay: () => true,
    onAudit: () => {},
    limits,
    ...options,
  } as never);

/** JSON text that is so many levels deep. */
export const nested = (levels: number) => JSON.parse(`${"[".repeat(levels)}${"]".repeat(levels)}`) as unknown;
