// npm run example cloud-edge: a cloud node on Postgres that serves, and a store's node on SQLite that connects to it.
import { play } from "../topology";

await play(import.meta.url, {
  name: "cloud-edge",
  title: "A cloud node on Postgres and an edge node on SQLite",
  nodes: {
    cloud: { program: "cloud.ts", database: "postgres", serves: true },
    edge: { program: "edge.ts", database: "sqlite", peers: ["cloud"] },
  },
  apart: ["edge"],
});
