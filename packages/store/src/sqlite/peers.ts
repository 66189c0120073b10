// `_grove_peers`: what is kept about each peer.
import { PEER_COLUMNS, peerColumns, rowToPeer } from "../peer";
import type { PeerState, PeerUpdate } from "../store";
import type { Statements } from "./driver";

export function readPeer(statements: Statements, node: string): PeerState | null {
  const row = statements.row(`SELECT ${PEER_COLUMNS} FROM _grove_peers WHERE peer = ?`, node);
  return row ? rowToPeer(row) : null;
}

export function writePeer(statements: Statements, node: string, update: PeerUpdate): void {
  const columns = peerColumns(update);
  const names = Object.keys(columns);
  if (names.length === 0) return;
  statements.run(
    `INSERT INTO _grove_peers (peer, ${names.join(", ")}) VALUES (?${", ?".repeat(names.length)}) ON CONFLICT (peer) DO UPDATE SET ${names.map((name) => `${name} = excluded.${name}`).join(", ")}`,
    node,
    ...Object.values(columns),
  );
}
