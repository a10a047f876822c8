import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { describe, expect, it } from "vitest";

const page = readFileSync(join(repositoryRoot, "docs/adding-a-job.md"), "utf8");
const sectionOf = (heading: string): string =>
  page.split(/^## /m).find((section) => section.startsWith(`${heading}\n`)) ?? "";
/** What the first column of a section's table names. */
const listed = (heading: string): readonly string[] =>
  sectionOf(heading)
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .flatMap((line) => [...(line.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name));

/** Files of the product that have `health` in their path. */
const filesOfHealth = ["packages", "events", "functions", "stacks"].flatMap((directory) =>
  readdirSync(join(repositoryRoot, directory), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes("node_modules"))
    .map((entry) => join(entry.parentPath, entry.name).slice(repositoryRoot.length + 1))
    .filter((path) => /health/i.test(path)),
);

describe("the page about adding a kind of job", () => {
  it("lists the files that the kind health is made of, eight at most", () => {
    expect([...listed("New files")].sort()).toEqual(filesOfHealth.sort());
    expect(filesOfHealth.length).toBeLessThanOrEqual(8);
  });

  it.each(listed("Lines in registries").filter((name) => /\.(ts|json)$/.test(name)))(
    "names %s, where the kind has its line",
    (name) => {
      expect(readFileSync(join(repositoryRoot, name), "utf8")).toMatch(/health/i);
    },
  );

  it("names tests that exist", () => {
    const tests = [...page.matchAll(/`(test\/[^`]+\.ts)`/g)].map(([, name = ""]) => name);
    expect(tests.length).toBeGreaterThan(5);
    for (const name of tests) expect(existsSync(join(repositoryRoot, name)), name).toBe(true);
  });
});
