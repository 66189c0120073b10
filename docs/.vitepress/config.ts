// The site over docs/: what stands in the menu and in what order. Links are checked and led by scripts/site-links.ts; the API
// reference is made from docstrings by typedoc before (typedoc.json), as `npm run docs` does.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type DefaultTheme, defineConfig } from "vitepress";
import { docs, resolveLink, slugify } from "../../scripts/site-links";

const { DOCS_SOURCE, DOCS_BASE = "/" } = process.env;

/** A menu's part; pages that are not there yet are left out. */
const part = (text: string, pages: readonly (readonly [string, string])[], collapsed?: boolean) => ({
  text,
  collapsed,
  items: pages
    .filter(
      ([, page]) => existsSync(join(docs, page.endsWith("/") ? `${page}index.md` : `${page}.md`)) || page === "types/",
    )
    .map(([name, page]) => ({ text: name, link: `/${page}` })),
});

/** The menu of the API reference, from what typedoc made. */
function apiMenu(): DefaultTheme.SidebarItem[] {
  const api = join(docs, "api");
  if (!existsSync(api)) return [];
  const groups = [
    ["Functions", "functions"],
    ["Classes", "classes"],
    ["Interfaces", "interfaces"],
    ["Types", "type-aliases"],
    ["Values", "variables"],
  ] as const;
  return ["index", "schema", "config"].map((entry) => ({
    text: entry === "index" ? "grove-crdt" : `grove-crdt/${entry}`,
    link: `/api/${entry}/`,
    collapsed: entry !== "index",
    items: groups.flatMap(([text, folder]) => {
      const path = join(api, entry, folder);
      if (!existsSync(path)) return [];
      const names = readdirSync(path).map((file) => file.replace(/\.md$/, ""));
      const items = names.sort().map((name) => ({ text: name, link: `/api/${entry}/${folder}/${name}` }));
      return [{ text, collapsed: true, items }];
    }),
  }));
}

export default defineConfig({
  title: "grove-crdt",
  description: "Make a Drizzle database multi-writer",
  base: DOCS_BASE,
  cleanUrls: true,
  // README.md of a folder is its front page, as on GitHub.
  rewrites: { "types/README.md": "types/index.md" },
  markdown: {
    anchor: { slugify },
    config(md) {
      md.core.ruler.push("links", (state) => {
        const { realPath, path = "" } = state.env as { realPath?: string; path?: string };
        const page = (realPath ?? path).slice(docs.length + 1);
        for (const { children } of state.tokens) {
          for (const [n, token] of (children ?? []).entries()) {
            if (token.type !== "link_open" || page.startsWith("api/")) continue;
            const target = resolveLink(page, token.attrGet("href") as string, DOCS_SOURCE);
            if (target.kind === "page") token.attrSet("href", target.href.replace(/(^|\/)README\.md/, "$1index.md"));
            else if (target.kind === "source" && target.href) token.attrSet("href", target.href);
            else if (target.kind === "source") {
              // Nobody has said where the repository is: its name is shown, and leads nowhere.
              const end = children?.slice(n).find(({ type }) => type === "link_close");
              for (const one of [token, end]) {
                if (!one) continue;
                one.tag = "span";
                one.type = one === token ? "source_open" : "source_close";
              }
              token.attrs = [["title", target.path]];
            }
          }
        }
      });
    },
  },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    nav: [
      {
        text: "Getting started",
        link: existsSync(join(docs, "getting-started.md")) ? "/getting-started" : "/concepts/",
      },
      { text: "Concepts", link: "/concepts/" },
      { text: "Types", link: "/types/" },
      { text: "API", link: "/api/" },
    ],
    sidebar: {
      "/api/": apiMenu(),
      "/": [
        part("Begin", [
          ["Getting started", "getting-started"],
          ["Commands", "commands"],
          ["A database with rows", "adopting"],
          ["Migrations", "migrations"],
        ]),
        part("Concepts", [
          ["The way of a write", "concepts/"],
          ["Topologies", "concepts/topologies"],
          ["Glossary", "glossary"],
        ]),
        part("Types", [
          ["Which one", "types/"],
          ["lww", "types/lww"],
          ["counter", "types/counter"],
          ["set", "types/set"],
          ["list", "types/list"],
          ["document", "types/document"],
        ]),
        part("In a program", [
          ["Live", "live"],
          ["Hooks", "hooks"],
          ["Principals and scopes", "security"],
          ["History", "history"],
          ["Errors", "errors"],
        ]),
        part("In operation", [
          ["Deployment", "deployment"],
          ["Watching a node", "observability"],
          ["Backups and copies", "backups"],
          ["Forgetting deletions", "collections"],
          ["Performance", "performance"],
          ["Scaling", "scaling"],
          ["What can go wrong", "faults"],
        ]),
        part("Beneath", [
          ["Protocol", "protocol"],
          ["Long runs", "reliability"],
          ["The simulator", "simulator"],
          ["Planted bugs", "mutants"],
          ["The manual page followed", "seed"],
          ["API reference", "api/"],
        ]),
      ],
    },
  },
});
