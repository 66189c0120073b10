// What the doctor finds: how bad it is, what it is, and the cure.

export type Level = "ok" | "note" | "warning" | "error";

export interface Finding {
  /** Which of the doctor's looks found it. */
  readonly check:
    | "versions"
    | "schema"
    | "generated"
    | "database"
    | "migrations"
    | "capture"
    | "clock"
    | "peers"
    | "state";
  readonly level: Level;
  readonly what: string;
  /** What to do; what is well needs nothing. */
  readonly cure?: string;
}
