// Testkit: what tests share. Private, never published.
export * from "./random";
export * from "./reference-tables";
export * from "./simulator/simulate";
