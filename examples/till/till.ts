// One till: a page, a SQLite file and a link to the hub, in one process. It sells whether the link is up or not.
import { createSyncer, serveNode, streamingTransport } from "grove-crdt";
import { headers } from "../auth";
import { offer } from "../processes";
import { Board } from "./board";
import { openDatabase } from "./database";
import { LinkSwitch } from "./link";
import { tillRoutes } from "./routes";
import { openShop } from "./shop";

const till = process.env.NODE_ID as string;
const { client, db, node } = await openDatabase(process.env.DATABASE_URL as string, till);
const shop = openShop(db, till);

// Asked for again every second here, so that there is something to see; usually after five.
const hub = streamingTransport(process.env.HUB_URL as string, { headers, reconnect: 1_000 });
const syncer = createSyncer(node, { peers: [hub], interval: 5_000, maxRetry: 2_000, onReport: () => board.refresh() });
const link = new LinkSwitch(syncer);

const state = async () => ({ till, products: shop.products(), sales: shop.sales(), ...(await link.state()) });
const board = new Board(state);
export type TillState = Awaited<ReturnType<typeof state>>;

const { stopped } = await serveNode(tillRoutes(shop, link, board, state), {
  node,
  // The switch starts and stops it, whenever it likes.
  syncer: { start: () => ({ started: link.turn(true), stop: () => link.turn(false) }) },
  hostname: "127.0.0.1",
  port: Number(process.env.PORT),
});
void board.follow(node, 500);
offer();
await stopped;
client.close();
