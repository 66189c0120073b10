// Where the links of the pages in docs/ lead on the site. A page that is part of the site keeps its link; README.md is the front page;
// other files of the repository are shown as code, or lead to DOCS_SOURCE where that says how the repository is reached. A file
// that is not there, or a heading, fails the build.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const root = join(import.meta.dirname, "..");
export const docs = join(root, "docs");

/** As GitHub makes the anchor of a heading, so that a link holds there and on the site. */
export const slugify = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(/\s/g, "-");

/** The anchors of a page, as GitHub numbers those that come again. */
export function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>();
  const text = page.replaceAll(/^```.*?^```/gms, "");
  for (const [, heading] of text.matchAll(/^#{1,6} (.+)$/gm)) {
    const slug = slugify((heading as string).replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1"));
    let name = slug;
    for (let n = 1; anchors.has(name); n++) name = `${slug}-${n}`;
    anchors.add(name);
  }
  for (const [, id] of text.matchAll(/<a id="([^"]+)">/g)) anchors.add(id as string);
  return anchors;
}

export type Target =
  /** Part of the site. */
  | { readonly kind: "page"; readonly href: string }
  /** A file of the repository; `href` is null while nobody says where the repository is. */
  | { readonly kind: "source"; readonly href: string | null; readonly path: string }
  /** Elsewhere in the world. */
  | { readonly kind: "outside" };

/**
 * @param page path of the page, from docs/
 * @param source how a file of the repository is reached, for example https://example.org/repository/blob/main
 * @throws Error where nothing is at the link's end
 */
export function resolveLink(page: string, href: string, source?: string): Target {
  if (/^[a-z]+:|^\/\//.test(href)) return { kind: "outside" };
  const [path = "", anchor] = href.split("#") as [string, string?];
  const from = path.startsWith("/") ? docs : dirname(join(docs, page));
  const file = path === "" ? join(docs, page) : join(from, path);
  const fail = (what: string) => new Error(`docs/${page}: the link ${href} leads to ${what} that is not there.`);
  if (!existsSync(file)) throw fail("a file");
  if (anchor !== undefined && file.endsWith(".md") && !anchorsOf(readFileSync(file, "utf8")).has(anchor))
    throw fail("a heading");
  const name = relative(root, file);
  if (name === "README.md") return { kind: "page", href: "/" };
  if (!name.startsWith("docs/")) return { kind: "source", href: source ? `${source}/${name}` : null, path: name };
  return { kind: "page", href };
}
