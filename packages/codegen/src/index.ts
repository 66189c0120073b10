// The generator: table models in, text out.
export { type EdgeConfig, emitEdgeConfig, isGenerated } from "./edge/config-file";
export { type EdgeColumn, type EdgeTable, emitEdgeSchema } from "./edge/schema-file";
export { createRegistry, type EmitOptions, emitFiles, fileNames } from "./emit";
export { comment, ident, join, lines, list, literal, type Sql, sql } from "./sql";
