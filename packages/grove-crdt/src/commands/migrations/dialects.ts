// The dialects by name.
import type { Dialect } from "@grove-crdt/core";
import type { MigrationDialect } from "./dialect";
import { postgres } from "./postgres/dialect";
import { sqlite } from "./sqlite/dialect";

export const dialects: Readonly<Record<Dialect, MigrationDialect>> = { postgres, sqlite };
