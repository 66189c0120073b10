// The CRDT types by name. Adding a type means a file beside this one and a line here.
import type { CrdtType } from "../entry";
import type { CrdtTypeName } from "../model";
import { counter } from "./counter";
import { document } from "./document";
import { list } from "./list";
import { lww } from "./lww";
import { set } from "./set";

/** What each CRDT type does: how a value is captured, merged, shown and told, by the name under which a schema marks it. */
export const crdtTypes: Readonly<Record<CrdtTypeName, CrdtType>> = { lww, counter, set, list, document };
