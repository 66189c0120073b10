// The cases of the other files on Postgres, over postgres.js; floors are single statements over arrays.
import type { Case } from "../../harness";
import { captureCommit, captureInsert, captureUpdate } from "./capture";
import { foldDocuments, foldLww } from "./fold";
import { mergeKnown, mergePage, servePage } from "./pages";
import { pullScaling } from "./pull-scaling";
import { shadowBytes, shadowBytesWorn } from "./shadow-bytes";
import { verifyScaling } from "./verify-scaling";

export { onPostgres } from "./server";

export const postgresCases: readonly Case[] = [
  captureInsert,
  captureUpdate,
  captureCommit,
  foldLww,
  foldDocuments,
  mergePage,
  mergeKnown,
  servePage,
  pullScaling,
  verifyScaling,
  shadowBytes,
  shadowBytesWorn,
];
