import { eventPattern, targetInput } from "@openemr-ops/local-cloud/eventPattern";
import { describe, expect, it } from "vitest";

const event = {
  source: "aws.states",
  detail: { status: "FAILED", name: "clinic-a-dump", attempts: 3, tags: ["night", "clinic"], cause: null },
};

describe("a rule's pattern", () => {
  it.each([
    ["a listed value", { detail: { status: ["ABORTED", "FAILED"] } }, true],
    ["another value", { detail: { status: ["ABORTED"] } }, false],
    ["a number and no text that looks like it", { detail: { attempts: ["3"] } }, false],
    ["a value that is null", { detail: { cause: [null] } }, true],
    ["one of several values", { detail: { tags: ["clinic"] } }, true],
    ["a prefix", { detail: { name: [{ prefix: "clinic-a" }] } }, true],
    ["another prefix", { detail: { name: [{ prefix: "clinic-b" }] } }, false],
    ["a suffix", { detail: { name: [{ suffix: "dump" }] } }, true],
    ["a text in whatever case", { detail: { status: [{ "equals-ignore-case": "failed" }] } }, true],
    ["anything but a value", { detail: { status: [{ "anything-but": "FAILED" }] } }, false],
    ["anything but other values", { detail: { status: [{ "anything-but": ["ABORTED", "TIMED_OUT"] }] } }, true],
    ["anything but a prefix", { detail: { name: [{ "anything-but": { prefix: "clinic-b" } }] } }, true],
    ["anything but, where nothing is", { detail: { absent: [{ "anything-but": "x" }] } }, false],
    ["a range of numbers", { detail: { attempts: [{ numeric: [">", 1, "<=", 3] }] } }, true],
    ["a number out of the range", { detail: { attempts: [{ numeric: [">", 3] }] } }, false],
    ["a field that is there", { detail: { status: [{ exists: true }] } }, true],
    ["a field that is not there", { detail: { absent: [{ exists: false }] } }, true],
    ["one of two patterns", { detail: { $or: [{ status: ["ABORTED"] }, { attempts: [3] }] } }, true],
    ["every field it names", { source: ["aws.states"], detail: { status: ["ABORTED"] } }, false],
  ])("fits %s as EventBridge has it", (_, pattern, fits) => {
    expect(eventPattern(pattern, "rule")(event)).toBe(fits);
  });

  it.each([{ detail: { name: [{ wildcard: "a*b" }] } }, { detail: { name: [{ prefix: "a", suffix: "b" }] } }])(
    "is refused with what is not known here: %j",
    (pattern) => {
      expect(() => eventPattern(pattern, "rule")).toThrow(/rule\.detail\.name/);
    },
  );
});

describe("what a target gets", () => {
  it.each([
    ["is the event", {}, event],
    ["is a part of it", { inputPath: "$.detail.tags" }, ["night", "clinic"]],
    ["is a fixed text", { input: '{"fixed":true}' }, { fixed: true }],
    [
      "is a form, filled in",
      {
        transformer: {
          InputPathsMap: { status: "$.detail.status", detail: "$.detail.tags" },
          InputTemplate: '{"text":"it <status>","list":<detail>}',
        },
      },
      { text: "it FAILED", list: ["night", "clinic"] },
    ],
  ])("%s", (_, how, given) => {
    expect(targetInput(event, how)).toEqual(given);
  });
});
