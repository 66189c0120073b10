// All cases, in the order in which they run and print.
import type { Case } from "../harness";
import { adopt, adoptPostgres } from "./adopt";
import { besideCases } from "./beside";
import { captureCommit } from "./capture-commit";
import { captureInsert, captureInsertDocuments } from "./capture-insert";
import { captureUpdate, captureUpdateDocuments } from "./capture-update";
import { collectionBytesCases } from "./collection-bytes";
import { foldDocuments, foldLww } from "./fold";
import { historyBytes, historyBytesPostgres, historyFold, historyMerge } from "./history";
import { hubCases } from "./hub";
import { listBeside, listInsertBulk, listInsertSingle, listInsertSinglePostgres } from "./list-insert";
import { listMergeCases } from "./list-merge";
import { liveCases } from "./live";
import { mergeKnown } from "./merge-known";
import { mergePage, mergePageDocuments } from "./merge-page";
import { mergeUpdate } from "./merge-update";
import { nestedBytesCases } from "./nested-bytes";
import { pgliteCases } from "./pglite";
import { postgresCases } from "./postgres";
import { pullScaling } from "./pull-scaling";
import { servePage, servePageDocuments, serveRate } from "./serve-page";
import { setChange } from "./set-change";
import { shadowBytes, shadowBytesWorn } from "./shadow-bytes";
import { streamCases } from "./streams";
import { syncingCases } from "./syncing";
import { typesCases } from "./types";
import { verifyScaling } from "./verify-scaling";
import { wireBytes, wireBytesPostgres } from "./wire-bytes";

export const cases: readonly Case[] = [
  captureInsert,
  captureInsertDocuments,
  captureUpdate,
  captureUpdateDocuments,
  captureCommit,
  foldLww,
  foldDocuments,
  mergePage,
  mergePageDocuments,
  mergeUpdate,
  mergeKnown,
  servePage,
  servePageDocuments,
  serveRate,
  pullScaling,
  verifyScaling,
  adopt,
  shadowBytes,
  shadowBytesWorn,
  wireBytes,
  listInsertSingle,
  listInsertBulk,
  listBeside,
  setChange,
  ...nestedBytesCases,
  ...collectionBytesCases,
  ...listMergeCases,
  ...besideCases,
  ...postgresCases,
  adoptPostgres,
  wireBytesPostgres,
  historyBytes,
  historyBytesPostgres,
  historyFold,
  historyMerge,
  listInsertSinglePostgres,
  ...liveCases,
  ...pgliteCases,
  ...syncingCases,
  ...hubCases,
  ...streamCases,
  ...typesCases,
];
