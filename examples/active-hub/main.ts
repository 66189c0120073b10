// npm run example active-hub: a hub on Postgres that connects to three edges on SQLite, which only serve.
import { play } from "../topology";

await play(import.meta.url, {
  name: "active-hub",
  title: "A hub on Postgres that connects to three edges on SQLite",
  nodes: {
    hub: { program: "hub.ts", database: "postgres", peers: ["edge-1", "edge-2", "edge-3"] },
    "edge-1": { program: "edge.ts", database: "sqlite", serves: true },
    "edge-2": { program: "edge.ts", database: "sqlite", serves: true },
    "edge-3": { program: "edge.ts", database: "sqlite", serves: true },
  },
  apart: ["edge-2"],
});
