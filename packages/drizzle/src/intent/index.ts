// Intent: writes as what is meant, as SQL expressions for Drizzle's own `set()`, in both dialects.
export { increment } from "./counter";
export { deletePath, setPath } from "./document";
export { append, insertAt, move, removeAt } from "./list";
export { add, remove } from "./set";
