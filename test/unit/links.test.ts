import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { expect, it } from "vitest";

const pages = ["*.md", "docs/**/*.md", "packages/*/*.md"].flatMap((pattern) =>
  globSync(pattern, { cwd: repositoryRoot }),
);
const textOf = (path: string): string => readFileSync(join(repositoryRoot, path), "utf8");

/** The anchor that GitHub gives to a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(/\s/g, "-");

const anchorsIn = (page: string): readonly string[] =>
  [...textOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading));

it.each(pages)("%s links to files and sections that exist", (page) => {
  for (const [, link = ""] of textOf(page).matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^https?:/.test(link)) continue;
    const [path = "", anchor] = link.split("#");
    const target = path === "" ? page : join(dirname(page), path);

    expect(existsSync(join(repositoryRoot, target)), link).toBe(true);
    if (anchor !== undefined) expect(anchorsIn(target), link).toContain(anchor);
  }
});
