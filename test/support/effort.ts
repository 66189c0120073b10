// How much of what can be done in any amount is done: a fifth of it where CI is set, as .ci/run sets it; less in a run of a developer's;
// all of it where GROVE_EFFORT says 1.
const share = Number(process.env.GROVE_EFFORT ?? (process.env.CI ? 0.2 : 0.1));

/** So many runs of a property, seeds, rounds. */
export const effort = (runs: number): number => Math.max(1, Math.ceil(runs * share));

/** The longest walks are made whole where GROVE_WHOLE is set, as by `npm run soak -- --only tests`. */
export const isWhole = Boolean(process.env.GROVE_WHOLE);
