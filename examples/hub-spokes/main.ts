// npm run example hub-spokes: a hub on Postgres that only serves, and three spokes on SQLite that connect to it.
import { play } from "../topology";

await play(import.meta.url, {
  name: "hub-spokes",
  title: "A hub on Postgres and three spokes on SQLite",
  nodes: {
    hub: { program: "hub.ts", database: "postgres", serves: true },
    "spoke-1": { program: "spoke.ts", database: "sqlite", peers: ["hub"] },
    "spoke-2": { program: "spoke.ts", database: "sqlite", peers: ["hub"] },
    "spoke-3": { program: "spoke.ts", database: "sqlite", peers: ["hub"] },
  },
  apart: ["spoke-2"],
});
