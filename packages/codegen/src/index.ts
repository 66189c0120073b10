// The generator: table models in, text out.
export { createRegistry, type EmitOptions, emitFiles } from "./emit";
export { comment, ident, join, lines, list, literal, type Sql, sql } from "./sql";
