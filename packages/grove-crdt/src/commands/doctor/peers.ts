// Who answers at a peer's address, and how far apart the two clocks are.
import { type GroveError, isGroveError, PROTOCOL_VERSION } from "@grove-crdt/core";
import type { Transport } from "@grove-crdt/sync";
import type { Finding } from "./finding";

/** Stamps further ahead are refused: createNode's default of `maxClockDrift`. */
const DRIFT = 60_000;
/** People notice that what they wrote last does not stand. */
const NOTICED = 1_000;

export interface Self {
  readonly id: string | null;
  readonly tables: readonly string[];
}

export async function checkPeer({ id, tables }: Self, transport: Transport): Promise<Finding[]> {
  const { url } = transport;
  if (id === null) {
    const what = `${url} was not asked: the database has no node id to ask under`;
    return [{ check: "peers", level: "warning", what, cure: "Start the program that syncs it once." }];
  }
  try {
    const before = Date.now();
    const answer = await transport.pull({ protocol: PROTOCOL_VERSION, node: id, cursor: null, rows: 0 });
    const after = Date.now();
    if (answer.node === id) {
      const what = `${url} is this very node, or a copy of its database`;
      return [
        {
          check: "peers",
          level: "error",
          what,
          cure: "Take it from the peers, or run `npx grove-crdt fork` on the copy.",
        },
      ];
    }
    const missing = tables.filter((table) => !answer.tables.includes(table));
    const lacks = `${url} (${answer.node}) does not sync ${missing.join(", ")}`;
    return [
      clock(`${url} (${answer.node})`, Math.round(answer.now / 1000 - (before + after) / 2), after - before),
      ...(missing.length === 0
        ? []
        : [
            {
              check: "peers",
              level: "note",
              what: lacks,
              cure: "Bring its schema up to date; until then its node keeps such rows or leaves them out.",
            } as const,
          ]),
    ];
  } catch (error) {
    if (!isGroveError(error)) throw error;
    return [{ check: "peers", level: "error", what: `${error.code}: ${error.message}`, cure: cureOf(error) }];
  }
}

function cureOf({ code }: GroveError): string {
  if (code === "unauthenticated" || code === "forbidden")
    return 'Pass what the peer asks for: --header "authorization: Bearer …".';
  if (code === "transport") return "Check the address, and that the router is mounted there.";
  return "The message says what to do.";
}

/** @param offset how far the peer's clock is ahead, in milliseconds; known to half of the time that the answer took */
function clock(peer: string, offset: number, roundTrip: number): Finding {
  const accuracy = `± ${Math.ceil(roundTrip / 2)} ms`;
  const what = `${peer}: its clock is ${Math.abs(offset)} ms ${offset < 0 ? "behind" : "ahead"} (${accuracy})`;
  const far = Math.max(0, Math.abs(offset) - roundTrip / 2);
  if (far > DRIFT)
    return {
      check: "clock",
      level: "error",
      what,
      cure: "Set the wrong clock right (NTP): further apart than a minute, stamps are refused.",
    };
  if (far > NOTICED)
    return {
      check: "clock",
      level: "warning",
      what,
      cure: "Let NTP keep both clocks: the later write wins, and who is ahead wins more often.",
    };
  return { check: "clock", level: "ok", what };
}
