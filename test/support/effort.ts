// How much of what can be done in any amount is done: all of it where CI is set, as .ci/run sets it; less in a run of a developer's.
const share = process.env.CI ? 1 : 0.3;

/** So many runs of a property, seeds, rounds: the number given is that of .ci/run. */
export const effort = (runs: number): number => Math.max(1, Math.ceil(runs * share));
