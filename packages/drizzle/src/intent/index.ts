// Intent: writes as what is meant, as SQL expressions for Drizzle's own `set()`, in both dialects.
export { increment } from "./counter";
export { add, remove } from "./set";
