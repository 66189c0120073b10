// A smaller plan that still fails: without some steps, nodes and faults. What is left is what the failure needs.
import type { Plan } from "./plan";
import type { SimulationResult } from "./simulate";
import { diameterOf } from "./topology";

export interface Shrunk<Result> {
  readonly plan: Plan;
  readonly result: Result;
  /** Plans that were tried. */
  readonly runs: number;
}

/** Which failure it is: another one is none that was looked for. */
const kindOf = (problem: string | null): string | null =>
  problem && (/^(?:failed|threw): (\S+ \S+)/.exec(problem)?.[0] ?? problem.replace(/[^a-z ]+/gi, " ").slice(0, 12));

/**
 * @param run runs a plan
 * @param most how many plans to try
 */
export async function shrink<Result extends Pick<SimulationResult, "problem">>(
  failing: Plan,
  run: (plan: Plan) => Promise<Result>,
  most = 400,
): Promise<Shrunk<Result>> {
  let plan = failing;
  let result = await run(plan);
  const kind = kindOf(result.problem);
  let runs = 1;
  /** Takes the smaller plan if it fails as well. */
  const attempt = async (smaller: Plan): Promise<boolean> => {
    if (runs >= most) return false;
    runs++;
    const outcome = await run(smaller);
    if (outcome.problem === null || kindOf(outcome.problem) !== kind) return false;
    plan = smaller;
    result = outcome;
    return true;
  };
  if (kind === null) return { plan, result, runs };
  for (let before = ""; before !== JSON.stringify(plan) && runs < most; ) {
    before = JSON.stringify(plan);
    for (let size = Math.ceil(plan.steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
      for (let start = plan.steps.length - size; start >= -size + 1; start -= size) {
        const from = Math.max(start, 0);
        await attempt({ ...plan, steps: plan.steps.filter((_, n) => n < from || n >= start + size) });
      }
    for (const index of plan.nodes.keys()) if (mayLeave(plan, index)) await attempt(without(plan, index));
    for (const smaller of calmer(plan)) await attempt(smaller);
  }
  return { plan, result, runs };
}

/** Whether the others still reach each other without this node. */
function mayLeave({ nodes, absent, links }: Plan, index: number): boolean {
  if (absent.includes(index)) return false;
  const left = [...nodes.keys()].filter((one) => one !== index && !absent.includes(one));
  return left.length > 1 && diameterOf(left, links) !== null;
}

const without = (plan: Plan, index: number): Plan => ({
  ...plan,
  absent: [...plan.absent, index],
  links: plan.links.filter((link) => !link.includes(index)),
  steps: plan.steps.filter((step) => step.node !== index && !("to" in step && step.to === index)),
});

/** Plans with one thing less that goes wrong. */
function* calmer(plan: Plan): Generator<Plan> {
  for (const name of ["requestLost", "answerLost", "doubled", "late"] as const)
    if (plan.faults[name] > 0) yield { ...plan, faults: { ...plan.faults, [name]: 0 } };
  if (plan.between > 0) yield { ...plan, between: 0 };
  if (plan.http) yield { ...plan, http: false };
  if (plan.adopted) yield { ...plan, adopted: false };
  if (plan.pages.rows < 1000) yield { ...plan, pages: { rows: 1000, bytes: 1_000_000 } };
  if (plan.nodes.some(({ skew }) => skew !== 0))
    yield { ...plan, nodes: plan.nodes.map((node) => ({ ...node, skew: 0 })) };
  if (plan.nodes.some(({ narrowed }) => narrowed))
    yield { ...plan, nodes: plan.nodes.map((node) => ({ ...node, narrowed: null })) };
  if (plan.nodes.some(({ isOld }) => isOld))
    yield { ...plan, nodes: plan.nodes.map((node) => ({ ...node, isOld: false })) };
}
