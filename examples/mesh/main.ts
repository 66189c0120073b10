// npm run example mesh: three nodes, one on Postgres and two on SQLite; each serves, and connects to both others.
import { play } from "../topology";

await play(import.meta.url, {
  name: "mesh",
  title: "Three equal nodes, one on Postgres and two on SQLite",
  nodes: {
    "node-a": { program: "on-postgres.ts", database: "postgres", serves: true, peers: ["node-b", "node-c"] },
    "node-b": { program: "on-sqlite.ts", database: "sqlite", serves: true, peers: ["node-a", "node-c"] },
    "node-c": { program: "on-sqlite.ts", database: "sqlite", serves: true, peers: ["node-a", "node-b"] },
  },
  apart: ["node-c"],
});
