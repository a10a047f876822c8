import { InvalidInputError } from "@openemr-ops/core/errors";
import { selectByPatterns, selectPaths } from "@openemr-ops/dumps/fileSelection";
import { describe, expect, it } from "vitest";

describe("a pattern of files", () => {
  it.each([
    ["/etc/passwd", /below the sites directory/],
    ["../other", /no \. or \.\./],
    ["default//x", /one \/ between/],
    ["", /one \/ between/],
    ["default/./x", /no \. or \.\./],
    ["default/**x", /a name of its own/],
    ["default/\0", /no file name can have/],
  ])("is refused as %j", (pattern, message) => {
    expect(() => selectByPatterns(["default", pattern])).toThrow(InvalidInputError);
    expect(() => selectByPatterns([pattern])).toThrow(message);
  });

  it.each([
    ["default", ["default", "default/sqlconf.php", "default/a/b"], ["default2", "x/default"]],
    ["default/", ["default/a"], ["other"]],
    ["default/documents/**", ["default/documents", "default/documents/1/2/3"], ["default/documents2/x", "default"]],
    ["**", ["a", "a/b/c"], []],
    ["**/x.pdf", ["x.pdf", "a/x.pdf", "a/b/x.pdf", "a/x.pdf/inside"], ["a/xx.pdf", "a/x_pdf"]],
    ["a/**/z", ["a/z", "a/b/c/z", "a/b/z/below"], ["b/z", "a/bz"]],
    ["*/documents/12/*.pdf", ["default/documents/12/a\nb.pdf"], ["default/x/documents/12/a.pdf", "documents/12/a.pdf"]],
    ["d/caf?.txt", ["d/café.txt", "d/caf\ufffd.txt", "d/caf😀.txt"], ["d/caf.txt", "d/caf/.txt"]],
    ["d/[a](b)+$^{1}\\.txt", ["d/[a](b)+$^{1}\\.txt"], ["d/a(b)+$^{1}\\.txt"]],
  ])("%j selects what it fits, with all below it, and nothing else", (pattern, fitting, others) => {
    const { matching } = selectByPatterns(["no such", pattern]);
    for (const path of fitting) expect(matching(path), path).toEqual([1]);
    for (const path of others) expect(matching(path), path).toEqual([]);
  });

  it("names the directory in which all of it is", () => {
    expect(selectByPatterns(["default/documents/12/**", "a/b", "*/x", "a/caf\ufffd/x"]).within).toEqual([
      "default/documents/12",
      "a/b",
      "",
      "a",
    ]);
  });
});

it("a list of files selects these alone, whatever their names are", () => {
  const paths = ["default/documents/12/two [copy]*.txt", "default/documents/12/b?"];
  const selection = selectPaths(paths);
  expect(paths.map((path) => selection.matching(path))).toEqual([[0], [1]]);
  expect(selection.matching("default/documents/12/two xcopy].txt")).toEqual([]);
  expect(selection.matching("default/documents/12")).toEqual([]);
  expect(selection.includes).toEqual(["/*/default/documents/12/two \\[copy]\\*.txt", "/*/default/documents/12/b\\?"]);
  expect(selection.within).toEqual(["default/documents/12"]);
});
