// What users import: node, syncer, transports, router, and the types and functions that generated/ builds on.
export {
  type ChangeRecord,
  crdtTypes,
  type Discrepancy,
  type ErrorCode,
  errorCodes,
  GroveError,
  isGroveError,
  type Json,
  materializeState,
  mergeStates,
  type Outcome,
  PROTOCOL_VERSION,
  type Registry,
  type RowChange,
  type TableCapture,
  type TableChange,
  type TableModel,
  type TableState,
  type WireCounter,
  type WireElement,
  type WireRegister,
} from "@grove-crdt/core";
export { type SyncRouterOptions, syncRouter } from "@grove-crdt/server";
export type { AdoptOptions, AdoptProgress, ParkedRow } from "@grove-crdt/store";
export {
  createNode,
  createSyncer,
  type GroveNode,
  type HttpTransportOptions,
  httpTransport,
  type NodeOptions,
  type PeerReport,
  type Syncer,
  type SyncerOptions,
  type Transport,
} from "@grove-crdt/sync";
