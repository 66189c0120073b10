// The links of the pages in docs/, as the site leads them: each has something at its end, heading and all.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { anchorsOf, docs, resolveLink, slugify } from "../scripts/site-links";

const made = ["api/", ".vitepress/"];
const pages = readdirSync(docs, { recursive: true, encoding: "utf8" }).filter(
  (name) => name.endsWith(".md") && !made.some((folder) => name.startsWith(folder)),
);
/** The links of a page, but for those within code. */
const linksOf = (text: string) =>
  [
    ...text
      .replaceAll(/^```.*?^```/gms, "")
      .replaceAll(/`[^`\n]*`/g, "")
      .matchAll(/\]\(([^)\s]+)\)/g),
  ].map(([, href]) => href as string);

describe("the links of docs/", () => {
  test.each(pages)("%s", (page) => {
    const dead = linksOf(readFileSync(join(docs, page), "utf8")).flatMap((href) => {
      try {
        resolveLink(page, href);
        return [];
      } catch (error) {
        // The reference is there once the site was built.
        return /(^|\/)api\//.test(href) ? [] : [(error as Error).message];
      }
    });
    expect(dead).toEqual([]);
  });
});

describe("a link", () => {
  test("to a page stays; to README.md it leads to the front page; to the world it is left alone", () => {
    expect(resolveLink("live.md", "hooks.md")).toEqual({ kind: "page", href: "hooks.md" });
    expect(resolveLink("types/README.md", "../../README.md")).toEqual({ kind: "page", href: "/" });
    expect(resolveLink("live.md", "https://example.org")).toEqual({ kind: "outside" });
  });

  test("to another file of the repository leads where somebody says that the repository is", () => {
    const at = "https://example.org/blob/main";
    const path = "test/live.test.ts";
    expect(resolveLink("faults.md", `../${path}`, at)).toEqual({ kind: "source", href: `${at}/${path}`, path });
    expect(resolveLink("faults.md", `../${path}`)).toEqual({ kind: "source", href: null, path });
  });

  test("to what is not there fails, and says where it stands", () => {
    expect(() => resolveLink("live.md", "nowhere.md")).toThrow("docs/live.md: the link nowhere.md leads to a file");
    expect(() => resolveLink("live.md", "hooks.md#nowhere")).toThrow("leads to a heading");
    expect(() => resolveLink("live.md", "#nowhere")).toThrow("leads to a heading");
  });

  test("to a heading is spelled as GitHub spells it", () => {
    expect(slugify("`capture_stale`")).toBe("capture_stale");
    expect(slugify("What decides, between two writes?")).toBe("what-decides-between-two-writes");
    expect([...anchorsOf("# A b\n## A b\n```\n# no heading\n```\n### [C](d.md)")]).toEqual(["a-b", "a-b-1", "c"]);
  });
});
