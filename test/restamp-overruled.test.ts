// What a node with a clock ahead overruled by its false stamps it did not keep. Once these are mended, it may be the later write,
// so it must come again, from whichever side it came. Found by the simulator.
import { test } from "vitest";
import { expectEqual } from "./support/comparison";
import { describeOnEach } from "./support/dialects";
import { sync } from "./support/network";
import type { TestNode } from "./support/node";

const HOUR = 60 * 60 * 1000;

describeOnEach("what a clock ahead overruled (fault 55)", ({ openNode }) => {
  /** One node with its clock an hour ahead, and one that writes after it while nobody knows. */
  async function overruled(meet: (ahead: TestNode, other: TestNode) => Promise<unknown>) {
    const [ahead, other] = [await openNode("ahead"), await openNode("other")];
    await other.sql("INSERT INTO documents (id, title) VALUES ('1', 'first')");
    await meet(ahead, other);
    await meet(ahead, other);
    ahead.clock.advance(HOUR);
    await ahead.sql("UPDATE documents SET title = 'ahead'");
    await ahead.node.fold();
    // Later by any right clock once the false stamp is mended to the time before it.
    other.clock.advance(50_000);
    await other.sql("UPDATE documents SET title = 'other'");
    await meet(ahead, other).catch(() => {});
    other.clock.advance(-50_000);
    ahead.clock.advance(-HOUR);
    for (let n = 0; n < 3; n++) await meet(ahead, other).catch(() => {});
    await expectEqual(ahead, other);
  }

  test("comes again to the one that asks for it", () => overruled((ahead, other) => sync(ahead, other)));
  test("comes again to the one that is called", () => overruled((ahead, other) => sync(other, ahead)));
});
