import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { describe, expect, it } from "vitest";

/** Phrases that a reader with English as a second language has to guess, and what to write. Add one when you meet it. */
const phrases: readonly (readonly [phrase: RegExp, write: string])[] = [
  [/without a word/, "without reporting a result"],
  [/without having said so/, "without reporting"],
  [/last word/, "the result"],
  [/\blet(s|ting)? (it |them )?go\b/, "release a lock; delete a dump"],
  [
    /\btells? (of|Slack|people)\b|\b(is|are|was) told\b|\btold of\b/,
    "notify people; publish an event; report a result",
  ],
  [/\bhears? of\b|\bheard of\b/, "is notified of; receives"],
  [/nobody foresaw/, "an unknown error"],
  [/half[- ]done/, "incomplete"],
  [/longer than it may/, "longer than its time limit"],
  [/say what would happen/, "show what would happen"],
  [/[Bb]egins the names? of/, "prefix of"],
  [/\bstands? in (the|its)\b/, "is in"],
  [/\bgives? up\b|\bgiven up\b/, "stop; fail; time out"],
  [/quarter of an hour/, "15 minutes"],
  [/\bmend(s|ed|ing)?\b/, "repair; correct"],
  [/\bvouch(es)? for\b/, "confirms"],
  [/\bthat went well\b/, "that succeeded"],
  [/\bnothing was touched\b/, "nothing was changed"],
  [/\bDoes all of several\b/, "Waits for all, then throws the first failure"],
  [/\b(what|whatever) (came|comes|became|becomes) of\b/i, "the result of; what happened to"],
  [/\bcame to nothing\b/, "failed; started nothing"],
  [/\bfared\b/, "the result of"],
  [/\b(is|are) (not|none of) (its|their) affair\b/, "it knows nothing of"],
  [/\bof the moment:/, "is new each time"],
  [/\b(still|be) at work\b/, "still runs"],
  [/\bat hand\b/, "available; already read"],
  [/\bgo(es)? on with\b/, "continues with"],
  [/\bwent away\b/, "was removed; closed the pipe"],
  [/\bstands? (together|ready|by itself|where)\b/, "is ready; is; do not exclude each other"],
  [/\b(that|it|one) is meant\b/, "that the command works on; the one selected"],
  [/\bwhat (it|they) stands? for\b/, "its value; the content of"],
  [/\bcame out\b/, "the result"],
];

/** Documents, and all code: its texts are read in Slack, in the console of AWS, at the command line, in an editor. */
const files = [
  "*.md",
  "docs/**/*.md",
  "{events,functions,stacks}/**/*.ts",
  "packages/*/README.md",
  "packages/*/src/**/*.ts",
]
  .flatMap((pattern) => globSync(pattern, { cwd: repositoryRoot }))
  .filter((name) => !/node_modules|CONTRIBUTING\.md/.test(name));

const textOf = (name: string): string => readFileSync(join(repositoryRoot, name), "utf8");

/** The titles of a test file, each on its line; a report of a failure shows nothing else. */
const titlesOf = (text: string): string =>
  text
    .split("\n")
    .map(
      (line) =>
        /(?:\b(?:it|describe)|^\s*[)\]}]+|\))\(\s*["`](.*)["`],/.exec(line)?.[1] ??
        /^\s*["`](.*)["`],$/.exec(line)?.[1] ??
        "",
    )
    .join("\n");

const tests = globSync("test/{cloud,contract,image,integration,unit}/**/*.ts", { cwd: repositoryRoot }).filter(
  (name) => !name.endsWith("plainWords.test.ts"),
);

/** Lines of a text with the phrase, also where a line break divides it. */
const linesWith = ({ source, flags }: RegExp, text: string): readonly number[] =>
  [...text.matchAll(new RegExp(source.replaceAll(" ", "[\\s*]+"), `${flags}g`))].map(
    ({ index }) => text.slice(0, index).split("\n").length,
  );

describe("the words that people read", () => {
  it("are looked at in every document and room", () => {
    expect(files.length).toBeGreaterThan(450);
    expect(tests.filter((name) => titlesOf(textOf(name)).trim() !== "").length).toBeGreaterThan(150);
  });

  it.each(phrases)("are plainer than %s: %s", (phrase) => {
    const found = [
      ...files.map((name) => ({ name, text: textOf(name) })),
      ...tests.map((name) => ({ name, text: titlesOf(textOf(name)) })),
    ].flatMap(({ name, text }) => linesWith(phrase, text).map((line) => `${name}:${line}`));

    expect(found).toEqual([]);
  });

  it("of a test's title are found", () => {
    expect(titlesOf('  it("lets go", () => {\n    const title = "kept";\n  ])("lets %s", () => {')).toBe(
      "lets go\n\nlets %s",
    );
  });

  it("are found across a line break", () => {
    expect(linesWith(/lets go/, "It\n * lets\n * go of it.")).toEqual([2]);
  });
});
