// The port through which a node says what happens to it: pino's shape, so that any logger of that kind fits. Silent unless one is
// injected. What is said, and how loudly, stands in observer.ts.

/** A logger of pino's shape: fields first, then a fixed sentence. */
export interface Logger {
  /** What happens all the time: pages that came and went. */
  debug(fields: object, message: string): void;
  /** What somebody may want to know: a peer is reached again, rows are parked. */
  info(fields: object, message: string): void;
  /** What mends itself, or concerns a peer: refused requests, rejected changes, a peer that is away. */
  warn(fields: object, message: string): void;
  /** What needs somebody: the node cannot work, or something unexpected failed. */
  error(fields: object, message: string): void;
}

export type LogLevel = keyof Logger;

/**
 * An unexpected error as fields. Drivers quote values in their messages, so without `values` only names and places are left: the
 * class of the error, its code, what the database says it was about, and the stack without its first lines.
 */
export function describeError(error: unknown, values: boolean): object {
  if (!(error instanceof Error)) return { name: typeof error, ...(values && { message: String(error) }) };
  const about = error as { code?: unknown; table?: unknown; column?: unknown; constraint?: unknown };
  const named = Object.fromEntries(
    (["code", "table", "column", "constraint"] as const).flatMap((name) =>
      typeof about[name] === "string" ? [[name, about[name]]] : [],
    ),
  );
  const frames = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return {
    name: error.name,
    ...named,
    ...(values && { message: error.message }),
    stack: frames.slice(0, 10).map((line) => line.trim()),
    ...(error.cause !== undefined && { cause: describeError(error.cause, values) }),
  };
}
