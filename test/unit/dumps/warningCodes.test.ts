import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "../../..");
const sourcesIn = (directory: string): readonly string[] =>
  readdirSync(join(root, directory), { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => readFileSync(join(root, directory, name), "utf8"));
const within = (text: string, pattern: RegExp): readonly string[] =>
  [...text.matchAll(pattern)].map(([, code]) => code ?? "");

/** As warnings are written: a literal, a constant, or one of the key proof's union. */
const codesOf = (text: string): readonly string[] => [
  ...within(text, /\bcode: "([a-z-]+)"/g),
  ...within(text, /^(?:export )?const (?:otherDatabase|fromSequence) = "([a-z-]+)"/gm),
  ...within(/type KeyProblemCode =([^;]*);/.exec(text)?.[1] ?? "", /"([a-z-]+)"/g),
];

it("explains every warning of a dump in the documentation, and none that no dump gives", () => {
  const given = ["packages/dumps/src/steps", "packages/openemr/src"].flatMap(sourcesIn).flatMap(codesOf);
  const page = readFileSync(join(root, "docs/dumps.md"), "utf8");
  const table = page.slice(page.indexOf("### What a warning means"), page.indexOf("A manifest lists what is mounted"));
  const cells = within(table, /^\| (`.*?) \|/gm).join(" ");

  expect(within(cells, /`([a-z-]+)`/g).toSorted()).toEqual([...new Set(given)].toSorted());
});
