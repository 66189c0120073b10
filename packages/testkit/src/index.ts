// Testkit: what tests share. Private, never published.
export * from "./random";
export * from "./reference-tables";
export { CRASH_POINTS } from "./simulator/crash";
export { drawPlan, type Plan } from "./simulator/plan";
export * from "./simulator/shrink";
export * from "./simulator/simulate";
