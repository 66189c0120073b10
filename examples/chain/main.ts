// npm run example chain: four nodes, Postgres at both ends and SQLite between; each connects to the next one only.
import { play } from "../topology";

await play(import.meta.url, {
  name: "chain",
  title: "A chain of four: Postgres, SQLite, SQLite, Postgres",
  nodes: {
    a: { program: "on-postgres.ts", database: "postgres", serves: true, peers: ["b"] },
    b: { program: "on-sqlite.ts", database: "sqlite", serves: true, peers: ["c"] },
    c: { program: "on-sqlite.ts", database: "sqlite", serves: true, peers: ["d"] },
    d: { program: "on-postgres.ts", database: "postgres", serves: true },
  },
  apart: ["c", "d"],
});
