// What a user might pick instead, on the same work in the same run. Lists have a file of their own: list-merge.ts.
import type { Case } from "../../harness";
import { besideCrSqliteInsert, besideCrSqliteMerge } from "./crsqlite";
import { besideTinyBaseInsert, besideTinyBaseMerge, besideTinyBaseWrite } from "./tinybase";

export const besideCases: readonly Case[] = [
  besideCrSqliteInsert,
  besideCrSqliteMerge,
  besideTinyBaseInsert,
  besideTinyBaseWrite,
  besideTinyBaseMerge,
];
