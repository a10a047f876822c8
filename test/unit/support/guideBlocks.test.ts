import { describe, expect, it } from "vitest";
import { guideBlocks } from "../../support/guide/guideBlocks.ts";
import { runtimesIn } from "../../support/guide/runtimes.ts";

const block = (mark: string, language = "sh") => `## 1. First\n\n${mark}\`\`\`${language}\nnpm ci\n\`\`\`\n`;

describe("the blocks of a guide", () => {
  it("are run, saved as a file, or left out for a reason that the page gives", () => {
    const page = [
      block("<!-- tested -->\n"),
      block("<!-- tested: a.config.ts -->\n", "ts"),
      block("<!-- not run: needs Docker -->\n\n"),
    ].join("\n");
    const steps = guideBlocks("guide.md", page).map(({ section, step, text, line }) => ({ section, step, text, line }));
    const common = { section: "1. First", text: "npm ci\n" };
    expect(steps).toEqual([
      { ...common, line: 5, step: { kind: "run" } },
      { ...common, line: 12, step: { kind: "file", name: "a.config.ts" } },
      { ...common, line: 20, step: { kind: "not run", reason: "needs Docker" } },
    ]);
  });

  it.each([
    { what: "no mark", mark: "" },
    { what: "no reason", mark: "<!-- not run -->\n" },
    { what: "a mark of something else", mark: "<!-- tested by hand -->\n" },
    { what: "a mark before other text", mark: "<!-- tested -->\n\nThen type:\n\n" },
  ])("are refused by page and line when there is $what", ({ mark }) => {
    expect(() => guideBlocks("guide.md", block(mark))).toThrow(
      /^guide\.md:\d+ says neither that it is tested nor why not/,
    );
  });

  it.each(["json", "ts", ""])("are refused when a reader would type %j", (language) => {
    expect(() => guideBlocks("guide.md", block("<!-- tested -->\n", language))).toThrow(/^guide\.md:5 .*sh/);
  });
});

describe("the runtimes of a template's functions", () => {
  it("are found in JSON and YAML, also where a condition selects one", () => {
    const json = { A: { Type: "AWS::Lambda::Function", Properties: { Runtime: "nodejs24.x" } } };
    expect(runtimesIn(JSON.stringify(json))).toEqual(["nodejs24.x"]);
    expect(runtimesIn(JSON.stringify(json, undefined, 1))).toEqual(["nodejs24.x"]);
    expect(runtimesIn("A:\n  Type: AWS::Lambda::Function\n  Properties:\n    Runtime: python3.9\n")).toEqual([
      "python3.9",
    ]);
    const chosen = { A: { Type: "AWS::Lambda::Function", Properties: { Runtime: { "Fn::If": ["New", "a", "b"] } } } };
    expect(runtimesIn(JSON.stringify(chosen))).toEqual(["none"]);
    expect(runtimesIn(JSON.stringify({ A: { Type: "AWS::Lambda::Function", Properties: {} } }))).toEqual(["none"]);
    expect(runtimesIn(JSON.stringify({ A: { Type: "AWS::S3::Bucket" } }))).toEqual([]);
  });
});
