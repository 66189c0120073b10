// `_grove_peers`: what is kept about each peer.
import { PEER_COLUMNS, peerColumns, rowToPeer } from "../peer";
import type { PeerState, PeerUpdate } from "../store";
import type { PostgresTransaction } from "./driver";

const NUMBERS = new Set(["seen_seq", "displaced_seq", "last_success"]);

export async function readPeer(tx: Pick<PostgresTransaction, "rows">, node: string): Promise<PeerState | null> {
  const [row] = await tx.rows(`SELECT ${PEER_COLUMNS} FROM public._grove_peers WHERE peer = $1::text`, [node]);
  return row ? rowToPeer(row) : null;
}

export async function writePeer(tx: PostgresTransaction, node: string, update: PeerUpdate): Promise<void> {
  const columns = peerColumns(update);
  const names = Object.keys(columns);
  if (names.length === 0) return;
  const values = names.map((name, n) => `$${n + 2}::text${NUMBERS.has(name) ? "::bigint" : ""}`);
  await tx.rows(
    `INSERT INTO public._grove_peers (peer, ${names.join(", ")}) VALUES ($1::text, ${values.join(", ")}) ON CONFLICT (peer) DO UPDATE SET ${names.map((name) => `${name} = excluded.${name}`).join(", ")}`,
    [node, ...Object.values(columns).map((value) => (value === null ? null : String(value)))],
  );
}
