// All cases, in the order in which they run and print.
import type { Case } from "../harness";
import { captureCommit } from "./capture-commit";
import { captureInsert, captureInsertDocuments } from "./capture-insert";
import { captureUpdate, captureUpdateDocuments } from "./capture-update";
import { foldDocuments, foldLww } from "./fold";
import { liveCases } from "./live";
import { mergeKnown } from "./merge-known";
import { mergePage, mergePageDocuments } from "./merge-page";
import { mergeUpdate } from "./merge-update";
import { postgresCases } from "./postgres";
import { pullScaling } from "./pull-scaling";
import { servePage, servePageDocuments, serveRate } from "./serve-page";
import { shadowBytes, shadowBytesWorn } from "./shadow-bytes";

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
  shadowBytes,
  shadowBytesWorn,
  ...postgresCases,
  ...liveCases,
];
