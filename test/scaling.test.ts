// The simulation of many edges behind docs/scaling.md: what it must say whatever the costs are, and that the page has its figures.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { costsIn, scenarioLine, scenarios } from "../scripts/scaling";
import { breaksFirst, type Costs, type Scenario, simulate } from "../scripts/scaling-model";

const costs: Costs = { push: 1, merge: 0.02, serve: 0.01, deliver: 0.05, open: 1, streamMemory: 50 };
const quiet: Scenario = { edges: 1_000, hubs: 4, every: 10, group: 1, joined: false };

test("a hub's share is what its edges push times what a push costs", () => {
  const { hub, grows, pushP99 } = simulate(quiet, costs);
  // 250 edges that push every 10 seconds, at 1 ms each.
  expect(hub.push).toBeGreaterThan(0.02);
  expect(hub.push).toBeLessThan(0.03);
  expect({ stream: hub.stream, exchange: hub.exchange, grows }).toEqual({ stream: 0, exchange: 0, grows: false });
  // There and back, and the push itself, and hardly ever a wait.
  expect(pushP99).toBeGreaterThanOrEqual(41);
  expect(pushP99).toBeLessThan(45);
});

test("more pushes than a thread can take wait longer and longer", () => {
  const outcome = simulate({ ...quiet, every: 0.2 }, costs);
  expect(outcome.grows).toBe(true);
  expect(breaksFirst(outcome)).toBe("push");
});

test("a change for everybody fills the hubs with streams, where one for a few does not", () => {
  const all = simulate({ ...quiet, every: 2, group: "all" }, costs);
  const few = simulate({ ...quiet, every: 2, group: 5 }, costs);
  expect(breaksFirst(all)).toBe("stream");
  expect(breaksFirst(few)).toBeNull();
  expect(all.visibleP99).toBeGreaterThan(few.visibleP99);
});

test("hubs that are joined merge each other's changes, and more hubs do not make that less", () => {
  const joined = (hubs: number) => simulate({ ...quiet, hubs, every: 2, joined: true }, costs);
  const [few, many] = [joined(4), joined(20)];
  expect(many.hub.push).toBeLessThan(few.hub.push);
  expect(many.hub.exchange).toBeGreaterThanOrEqual(few.hub.exchange * 0.9);
  expect(many.middle).toBeGreaterThan(0);
  expect(simulate({ ...quiet, every: 2 }, costs).middle).toBe(0);
});

test("the same costs give the same figures", () => {
  expect(simulate({ ...quiet, group: 10, joined: true }, costs)).toEqual(
    simulate({ ...quiet, group: 10, joined: true }, costs),
  );
});

test("docs/scaling.md has the figures that its own costs give", () => {
  const page = readFileSync(new URL("../docs/scaling.md", import.meta.url), "utf8");
  const found = costsIn(page);
  for (const cost of Object.values(found)) expect(cost).toBeGreaterThan(0);
  // All of them take too long beside other tests; these are the shortest.
  for (const scenario of scenarios.filter(({ group, joined }) => group === 1 && !joined))
    expect(page).toContain(scenarioLine(scenario, simulate(scenario, found)));
  for (const { hubs } of scenarios) expect(page).toContain(`\n| ${hubs} |`);
});
