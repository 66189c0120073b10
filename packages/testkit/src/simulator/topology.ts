// Who has whom as a peer, and how far apart two nodes can be. Whoever has a peer pulls from it and pushes to it, so one
// direction is enough.
import type { Random } from "../random";

export const SHAPES = ["star", "chain", "ring", "mesh", "tree", "hubs"] as const;
export type Shape = (typeof SHAPES)[number];
/** Who has whom as a peer. */
export type Link = readonly [from: number, to: number];

export function drawLinks(random: Random, shape: Shape, count: number): Link[] {
  const others = Array.from({ length: count - 1 }, (_, n) => n + 1);
  switch (shape) {
    case "star":
      return others.map((n) => [n, 0]);
    case "chain":
      return others.map((n) => [n, n - 1]);
    case "ring":
      return [...others.map((n): Link => [n - 1, n]), ...(count > 2 ? [[count - 1, 0] as const] : [])];
    case "tree":
      return others.map((n) => [n, (n - 1) >> 1]);
    case "hubs": {
      // Hubs know each other; each edge talks to one of them, some to another as well.
      const hubs = Math.max(1, Math.floor(count / 3));
      return others.flatMap((n): Link[] => {
        if (n < hubs) return [[n, random.below(n)]];
        const own = random.below(hubs);
        const second = random.below(hubs);
        return second !== own && random.chance(0.4) ? [[n, own] as const, [n, second] as const] : [[n, own]];
      });
    }
    default:
      // Each has a few of the others, some of them each other.
      return others.flatMap((n) => {
        const near = n < 3 ? Array.from({ length: n }, (_, m) => m) : [random.below(n), random.below(n)];
        return [...new Set(near)].flatMap((m): Link[] =>
          random.chance(0.3)
            ? [
                [n, m],
                [m, n],
              ]
            : [[n, m]],
        );
      });
  }
}

/** The most links between two nodes; null when some cannot reach each other. */
export function diameterOf(nodes: readonly number[], links: readonly Link[]): number | null {
  const near = new Map(nodes.map((node): [number, number[]] => [node, []]));
  for (const [from, to] of links) {
    near.get(from)?.push(to);
    near.get(to)?.push(from);
  }
  let most = 0;
  for (const start of nodes) {
    const distance = new Map([[start, 0]]);
    for (const [node, far] of distance)
      for (const next of near.get(node) ?? []) if (near.has(next) && !distance.has(next)) distance.set(next, far + 1);
    if (distance.size < nodes.length) return null;
    most = Math.max(most, ...distance.values());
  }
  return most;
}
