// Ten years of a shop with collections: devices that are away for years, that join, that move to another hub, that come back from a
// backup or were struck off, and an operator who collects now and then. No dead row comes back, no live row goes (fault 22).
import { describe, expect, test } from "vitest";
import { createRandom, type Random } from "../packages/testkit/src/random";
import { Clock } from "./support/clock";
import { expectEqual } from "./support/comparison";
import type { Image, TestDatabase } from "./support/dialect";
import { describeOnEach } from "./support/dialects";
import { link, sync } from "./support/network";
import type { TestNode } from "./support/node";

const WEEK = 7 * 24 * 3600 * 1000;
const WEEKS = 10 * 52;
const SEEDS = Number(process.env.GROVE_YEARS ?? 1);
const FIRST = Number(process.env.GROVE_YEARS_FROM ?? 1);

interface Device {
  node: TestNode;
  hub: TestNode;
  /** Weeks until it is back. */
  away: number;
  backup: Image | null;
}

describeOnEach("ten years", ({ dialect, openNode }) => {
  class Years {
    readonly clock = new Clock();
    readonly hubs: TestNode[] = [];
    readonly devices: Device[] = [];
    /** Rows that live, and those that are deleted, by what everybody was told. */
    readonly living = new Set<string>();
    readonly dead = new Set<string>();
    /** What was counted on each row. */
    readonly counted = new Map<string, number>();
    readonly told = {
      collections: 0,
      ended: 0,
      struck: 0,
      rejoined: 0,
      joined: 0,
      moved: 0,
      restored: 0,
      forgotten: 0,
    };
    #names = 0;

    constructor(readonly random: Random) {}

    async begin(): Promise<void> {
      for (const name of ["hub-a", "hub-b"]) this.hubs.push(await this.open(name));
      for (let n = 0; n < 3; n++) await this.join();
      await this.meet();
    }

    open(id: string, database?: TestDatabase): Promise<TestNode> {
      // Ten years pass in seconds.
      const router = { limits: { rate: { burst: 1e9, perSecond: 1e9 } } };
      return openNode(id, { clock: this.clock, router, ...(database && { database }) });
    }

    async join(): Promise<void> {
      const node = await this.open(`device-${++this.#names}`);
      this.devices.push({ node, hub: this.random.pick(this.hubs), away: 0, backup: null });
    }

    /** Rejoins where it has to; false while it has to wait. */
    async exchange(from: TestNode, to: TestNode): Promise<boolean> {
      try {
        await sync(from, to);
        return true;
      } catch (error) {
        const { code } = error as { code?: string };
        if (code === "collecting") return false;
        if (code !== "struck_off") throw error;
      }
      try {
        await link(from, to).rejoin();
      } catch (error) {
        if ((error as { code?: string }).code === "collecting") return false;
        throw error;
      }
      this.told.rejoined++;
      return true;
    }

    /** The hubs meet, and every device that is there meets its hub. */
    async meet(): Promise<void> {
      const [a, b] = this.hubs as [TestNode, TestNode];
      await this.exchange(b, a);
      for (const { node, hub, away } of this.devices) if (away === 0) await this.exchange(node, hub);
    }

    /** Somebody who is there writes; what is written is told to the hub at once, so that nobody else writes to what is dead. */
    async write({ node, hub }: Device): Promise<void> {
      const { random } = this;
      if (!(await this.exchange(node, hub))) return;
      const shown = (await node.rows<{ id: string }>("SELECT id FROM documents ORDER BY id")).map(({ id }) => id);
      const roll = random.below(10);
      if (roll < 4 || shown.length === 0) {
        // Now and then a key that was deleted once.
        const again = [...this.dead].sort();
        const id = again.length > 0 && random.chance(0.3) ? random.pick(again) : `row-${++this.#names}`;
        await node.sql("INSERT INTO documents (id, title) VALUES (?, ?)", id, node.id);
        this.living.add(id);
        this.dead.delete(id);
        this.counted.set(id, 0);
      } else if (roll < 7) {
        const id = random.pick(shown);
        await node.sql("DELETE FROM documents WHERE id = ?", id);
        this.living.delete(id);
        this.dead.add(id);
      } else {
        const id = random.pick(shown);
        await node.sql("UPDATE documents SET view_count = view_count + 1, title = ? WHERE id = ?", node.id, id);
        this.counted.set(id, (this.counted.get(id) ?? 0) + 1);
      }
      await this.exchange(node, hub);
      await this.exchange(this.hubs[1] as TestNode, this.hubs[0] as TestNode);
    }

    async operate(): Promise<void> {
      const [hub] = this.hubs as [TestNode];
      const { rounds } = await hub.node.collection();
      const open = rounds.find(({ state }) => state === "open");
      if (!open) {
        await hub.node.collect();
        this.told.collections++;
        return;
      }
      // Whoever was waited for since last time is struck off.
      const away = new Set(this.devices.filter(({ away }) => away > 8).map(({ node }) => node.id));
      const strike = open.awaited.map(({ node }) => node).filter((node) => away.has(node));
      if (strike.length === 0) return;
      await hub.node.collect({ strike });
      this.told.collections++;
      this.told.struck += strike.length;
    }

    async week(): Promise<void> {
      const { random, devices } = this;
      this.clock.advance(WEEK);
      for (const device of devices) {
        if (device.away > 0) device.away--;
        else if (random.chance(0.02)) device.away = random.between(2, 150);
      }
      if (random.chance(0.02) && devices.length < 6) {
        await this.join();
        this.told.joined++;
      }
      const here = devices.filter(({ away }) => away === 0);
      if (here.length > 0) {
        const device = random.pick(here);
        if (random.chance(0.03)) {
          device.hub = this.hubs.find((hub) => hub !== device.hub) as TestNode;
          this.told.moved++;
        }
        if (random.chance(0.03)) device.backup = await device.node.database.image();
        if (device.backup && random.chance(0.05) && (await this.exchange(device.node, device.hub))) {
          device.node = await this.open(device.node.id, await device.backup.restore());
          device.backup = null;
          this.told.restored++;
          await this.exchange(device.node, device.hub);
        }
        await this.write(device);
      }
      if (random.chance(0.06)) await this.operate();
      if (random.chance(0.5)) await this.meet();
    }

    /** Everybody is back, and all hear everything. */
    async end(): Promise<void> {
      for (const device of this.devices) device.away = 0;
      for (let n = 0; n < 5; n++) await this.meet();
      const [hub] = this.hubs as [TestNode];
      const { rounds } = await hub.node.collection();
      if (rounds.some(({ state }) => state === "open")) await hub.node.cancelCollection();
      await hub.node.collect();
      for (let n = 0; n < 6; n++) await this.meet();
      expect((await hub.node.collection()).rounds.at(-1)?.awaited).toEqual([]);
      if ((await hub.node.collection()).before) this.told.ended++;
      const nodes = [...this.hubs, ...this.devices.map(({ node }) => node)];
      const expected = [...this.living].sort().map((id) => `${id} ${this.counted.get(id)}`);
      for (const node of nodes) {
        const rows = await node.rows<{ id: string; n: unknown }>(
          "SELECT id, view_count AS n FROM documents ORDER BY id",
        );
        expect(rows.map(({ id, n }) => `${id} ${Number(n)}`).sort(), node.id).toEqual(expected);
        const shadows = Number((await node.rows<{ n: unknown }>("SELECT count(*) AS n FROM _documents_crdt"))[0]?.n);
        // Nothing is left of what was deleted.
        expect(shadows, node.id).toBe(this.living.size);
        expect(await node.node.verify(), node.id).toEqual([]);
      }
      await expectEqual(...nodes);
    }
  }

  const seeds = Array.from({ length: dialect.thorough ? SEEDS : Math.ceil(SEEDS / 2) }, (_, n) => FIRST + n);
  describe("with devices that are away, join, move, are restored and struck off", () => {
    test.each(seeds)("no dead row comes back and no live row goes (seed %i)", { timeout: 300_000 }, async (seed) => {
      const years = new Years(createRandom(seed));
      await years.begin();
      const weeks = dialect.thorough ? WEEKS : WEEKS / 10;
      for (let week = 0; week < weeks; week++) await years.week();
      await years.end();
      expect(years.told.ended).toBeGreaterThan(0);
      if (process.env.GROVE_YEARS) console.log(seed, JSON.stringify(years.told));
    });
  });
});
