// Random hooks on a random page: each change passes, is skipped, fails or gets another value, in one or two hooks. An oracle of a
// few lines says what becomes of each row and what the receiver's table shows.
import fc from "fast-check";
import { type ChangeRecord, GroveError, type Outcome, type SyncHook } from "grove-crdt";
import { expect, test } from "vitest";
import { pullAs, pushAs } from "./support/callers";
import { describeOnEach } from "./support/dialects";
import { effort } from "./support/effort";
import { openHooked, x } from "./support/hooks";

const verbs = ["pass", "pass", "skip", "throw", "refuse", "rubbish", "late", "amend"] as const;
type Verb = (typeof verbs)[number];
const fields = ["title", "body", "view_count", "tags"] as const;
type Field = (typeof fields)[number];
/** What each of two hooks does to each field of each row. */
type Plan = readonly (readonly Record<Field, Verb>[])[];

const row = fc.record(
  Object.fromEntries(fields.map((field) => [field, fc.constantFrom(...verbs)])) as Record<Field, fc.Arbitrary<Verb>>,
);
const plans = fc
  .array(row, { minLength: 1, maxLength: 4 })
  .chain((first) =>
    fc.array(row, { minLength: first.length, maxLength: first.length }).map((second): Plan => [first, second]),
  );

const isText = (field: string) => field === "title" || field === "body";

/** What one hook makes of a value: undefined = it did not pass. */
function follow(verb: Verb, field: string, value: string): string | undefined {
  if (verb === "pass" || verb === "late") return value;
  return verb === "amend" ? (isText(field) ? `${value}+` : value) : undefined;
}
/** What the oracle says of a field: its value after both hooks, or why there is none. */
function predict(plan: Plan, n: number, field: Field, value: string): { value?: string; code?: string } {
  let now: string | undefined = value;
  for (const hook of plan) {
    const verb = hook[n]?.[field] as Verb;
    now = follow(verb, field, now);
    if (now === undefined)
      return { code: verb === "skip" ? "skipped" : verb === "refuse" ? "forbidden" : "hook_failed" };
  }
  return { value: now };
}

const hooksOf = (plan: Plan, method: "beforeInboundChange" | "beforeOutboundChange"): SyncHook[] =>
  plan.map((rows) => ({
    [method]: (change: ChangeRecord) => {
      switch (rows[Number(change.pk[0])]?.[change.field as Field]) {
        case "skip":
          return null;
        case "throw":
          throw new Error("thrown");
        case "refuse":
          throw new GroveError("forbidden", "refused");
        case "rubbish":
          return { ...change, hlc: 1 };
        case "late":
          return Promise.resolve({ ...change });
        case "amend":
          return change.type === "lww" ? { ...change, value: `${change.value}+` } : { ...change };
        default:
          return change;
      }
    },
  }));

describeOnEach("random hooks", (suite) => {
  const runs = { numRuns: effort(suite.dialect.thorough ? 40 : 8) };
  const { textsOf } = suite.dialect;
  const values = (n: number): Record<Field, string> => ({
    title: `t${n}`,
    body: `b${n}`,
    view_count: "3",
    tags: `g${n}`,
  });
  /** What the table shows of the rows: those of which nothing passed are not there. */
  const shown = (plan: Plan) =>
    (plan[0] as readonly unknown[]).flatMap((_, n) => {
      const of = (field: Field) => predict(plan, n, field, values(n)[field]).value;
      if (fields.every((field) => of(field) === undefined)) return [];
      const [title, body, count, tag] = fields.map(of);
      // Without its title, which has no default, a row waits in the shadow.
      if (title === undefined) return [];
      return [
        {
          id: String(n),
          title,
          body: body ?? "",
          view_count: Number(count ?? 0),
          tags: tag === undefined ? [] : [tag],
        },
      ];
    });
  const checked = (plan: Plan, n: number, outcome: Outcome) => {
    const failed = fields.map((field) => [field, predict(plan, n, field, "").code] as const).filter(([, code]) => code);
    if (failed.length === 0) {
      expect(outcome.outcome).toBe("applied");
      return;
    }
    const serious = failed.find(([, code]) => code !== "skipped") ?? failed[0];
    expect([outcome.outcome, outcome.code, outcome.fields]).toEqual([
      "rejected",
      serious?.[1],
      failed.length === fields.length ? undefined : failed.map(([field]) => field),
    ]);
  };

  test("inbound: every row's outcome and the table are as the oracle says", async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        const hub = await openHooked(suite, "hub", {
          hooks: hooksOf(plan.slice(1), "beforeInboundChange"),
          routerHooks: hooksOf(plan.slice(0, 1), "beforeInboundChange"),
        });
        try {
          const now = hub.clock.now();
          const rows = (plan[0] as readonly unknown[]).map((_, n) => ({
            table: "documents",
            pk: [String(n)],
            cl: 1,
            life: [now, "n-x"],
            lww: { title: [`t${n}`], body: [`b${n}`] },
            counter: { view_count: { birth: ["3", now, "n-x"] } },
            set: { tags: [[`g${n}`, now, "n-x"]] },
          }));
          const { outcomes } = await pushAs(x, hub, rows);
          for (const [n, outcome] of outcomes.entries()) checked(plan, n, outcome);
          expect(await hub.rows("SELECT * FROM documents ORDER BY id")).toEqual(shown(plan));
          // The same again says the same, and changes nothing.
          // What waits is tried again, under a new number.
          const dump = () => hub.database.dump(["_grove_parked"]);
          const state = await dump();
          const again = (await pushAs(x, hub, rows)).outcomes;
          again.forEach((outcome, n) => {
            if (outcomes[n]?.outcome === "rejected") checked(plan, n, outcome);
            else expect(outcome.outcome).toBe("superseded");
          });
          expect(await dump()).toBe(state);
        } finally {
          await hub.close();
        }
      }),
      runs,
    );
  });

  test("outbound: what a reader gets and what stays on record here are as the oracle says", async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        const hub = await openHooked(suite, "hub", {
          hooks: hooksOf(plan.slice(0, 1), "beforeOutboundChange"),
          routerHooks: hooksOf(plan.slice(1), "beforeOutboundChange"),
        });
        const reader = await openHooked(suite, "reader", { clock: hub.clock });
        try {
          const rows = (plan[0] as readonly unknown[]).map((_, n) => n);
          await hub.sql(
            rows
              .map((n) => `INSERT INTO documents VALUES ('${n}', 't${n}', 'b${n}', 3, '${textsOf(`g${n}`)}')`)
              .join("; "),
          );
          const page = await pullAs(x, hub);
          await reader.node.merge("hub", page.rows);
          expect(await reader.rows("SELECT * FROM documents ORDER BY id")).toEqual(shown(plan));
          const kept = await hub.node.rejected();
          for (const n of rows) {
            const failed = fields.filter((field) => predict(plan, n, field, "").code);
            const codes = failed.map((field) => predict(plan, n, field, "").code).filter((code) => code !== "skipped");
            const record = kept.find(({ pk }) => pk[0] === String(n));
            expect([record?.code, record?.fields], String(n)).toEqual([
              codes[0],
              codes.length === 0 ? undefined : failed.length === fields.length ? null : failed,
            ]);
          }
          expect((await pullAs(x, hub, { cursor: page.cursor })).rows).toEqual([]);
        } finally {
          await hub.close();
          await reader.close();
        }
      }),
      runs,
    );
  });
});
