// The simulated world: machines on clocks of their own, a network between them, and an application that writes at any time.
// Everything random comes from one seed, and a step's from the step's own.
import type { Registry } from "@grove-crdt/core";
import { createRandom, type Random } from "../random";
import { watchRound } from "./collecting";
import { Crash } from "./crash";
import { openNew, START_TIME } from "./images";
import { Machine } from "./machine";
import { Network } from "./network";
import { Oracle } from "./oracle";
import type { Plan } from "./plan";
import { type Version, versionsOf } from "./registries";
import type { Seen } from "./seen";
import { Workload } from "./workload";

export class World {
  readonly machines: Machine[] = [];
  readonly network: Network;
  readonly oracle = new Oracle();
  readonly workload: Workload;
  readonly versions: readonly [Version, Version];
  /** Microseconds since 1970. */
  time = START_TIME;
  random: Random;
  /** How often each fault happened, and each kind of write. */
  readonly faults: Record<string, number> = {};
  readonly writes: Record<string, number> = {};
  /** Ids of which there have been two databases. */
  readonly copied = new Set<string>();
  readonly trace: string[] = [];
  failure: unknown = null;
  /** Frames that the stream of this step has. */
  streaming = 0;
  #depth = 0;
  /** What collections forgot, by how far. */
  readonly #levels = new Set<number>();

  constructor(
    readonly plan: Plan,
    registry: Registry,
  ) {
    this.random = createRandom(plan.seed);
    this.versions = versionsOf(registry);
    this.network = new Network(this, plan.faults, plan.http);
    this.workload = new Workload(this, this.oracle, plan.rows);
  }

  /** The machines of the plan, in its order; those that are absent have none. */
  async build(): Promise<void> {
    const { plan, versions, workload } = this;
    for (const [index, own] of plan.nodes.entries()) {
      if (plan.absent.includes(index)) {
        // Nobody has it as a peer.
        this.machines.push(undefined as unknown as Machine);
        continue;
      }
      const id = `node-${index}`;
      const before = plan.adopted
        ? { what: "adopted", fill: (database: Machine["database"]) => workload.adopt({ database, id }) }
        : null;
      const fresh = await openNew(versions, { id, isOld: own.isOld, before });
      const peers = plan.links.filter(([from]) => from === index).map(([, to]) => to);
      this.#add({ id, label: id, index, plan: own, peers }, fresh);
    }
    if (plan.adopted) workload.adopted();
    else for (const machine of this.present) await workload.seed(machine);
  }

  get present(): readonly Machine[] {
    return this.machines.filter((machine) => machine !== undefined);
  }

  #add(
    own: Pick<ConstructorParameters<typeof Machine>[0], "id" | "label" | "index" | "plan" | "peers">,
    image: ConstructorParameters<typeof Machine>[1],
  ): Machine {
    const { plan, versions, network } = this;
    const machine = new Machine(
      {
        ...own,
        versions,
        world: this,
        pages: plan.pages,
        seed: plan.seed * 31 + own.index,
        transport: (from, process, to) => network.transport(from, process, to),
        onError: (error) => this.fail(error),
        onRound: plan.collects ? (machine, step) => watchRound(this, machine, step) : null,
      },
      image,
    );
    this.machines.push(machine);
    return machine;
  }

  /** A copy of a machine's database, in a machine of its own that talks to all who talked to that one. */
  async copy(original: Machine): Promise<Machine> {
    const index = this.machines.length;
    const near = this.plan.links.flatMap(([from, to]) =>
      from === original.index ? [to] : to === original.index ? [from] : [],
    );
    const peers = [...new Set(near)].filter((one) => this.machines[one] !== undefined);
    const plan = { ...(this.plan.nodes[original.index] as Plan["nodes"][number]), isOld: original.isOld };
    const own = { id: original.id, label: `copy-${original.index}`, index, plan, peers };
    return this.#add(own, await original.image());
  }

  /** What all databases hold, and what those who begin anew have set aside. */
  async seen(): Promise<Seen[]> {
    const { workload } = this;
    const all = this.present.map(async (machine) => [
      await machine.process.spare(() => workload.seen(machine)),
      ...(machine.isRejoining ? await workload.aside(machine) : []),
    ]);
    return (await Promise.all(all)).flat();
  }

  noteCollected(before: Seen, after: Seen): void {
    if (!this.#levels.has(after.level)) this.count("collections ended");
    this.#levels.add(after.level);
    this.oracle.collected(before, after);
  }

  /** Whether somebody else may have lost what a machine was told had arrived: a database was put back to a time before. */
  get isMurky(): boolean {
    return (this.faults.restored ?? 0) > 0;
  }

  /** Somebody may write while a message is under way. @param at who, if anybody does */
  async between(at?: Machine): Promise<void> {
    const likely = at ? 0.6 : this.plan.between;
    if (this.network.isHealed || this.#depth > 0 || likely === 0 || !this.random.chance(likely)) return;
    this.#depth++;
    const machine = at ?? this.random.pick(this.present);
    const { process } = machine;
    // The oracle looks at what it wrote, and must not die of it.
    if (process.alive) await process.spare(() => this.workload.write(machine, this.random.pick(this.plan.kinds)));
    this.#depth--;
  }

  count(fault: string): void {
    this.faults[fault] = (this.faults[fault] ?? 0) + 1;
  }

  log(line: string): void {
    this.trace.push(`${this.time - START_TIME} ${line}`);
  }

  fail(error: unknown): void {
    if (!(error instanceof Crash)) this.failure ??= error;
  }

  close(): void {
    for (const machine of this.present) machine.close();
  }
}
