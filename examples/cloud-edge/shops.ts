// What the two nodes can be asked to do: their shops, and one act of their own each.
import type { Remote } from "./acts";
import type { openShop as openCloudShop } from "./cloud/shop";
import type { openShop as openEdgeShop } from "./edge/shop";

export type CloudActs = ReturnType<typeof openCloudShop> & { url(): string };
export type EdgeActs = ReturnType<typeof openEdgeShop> & { plug(into: boolean): void };

export interface Shops {
  readonly cloud: Remote<CloudActs>;
  readonly edge: Remote<EdgeActs>;
}
/** What both can do. */
export type Shop = Remote<ReturnType<typeof openCloudShop>> | Remote<ReturnType<typeof openEdgeShop>>;
/** The rows of a node, as Drizzle reads them: the same types in both dialects. */
export type Listing = Awaited<ReturnType<Shop["list"]>>;
