import { execFileSync } from "node:child_process";
import { shellWord } from "@openemr-ops/core/shell";
import { expect, it } from "vitest";

it.each(["/etc/openemr-ops/config.json", "/srv/a b/c", "it's", "$(date)", "", "a\nb"])(
  "is one word of a shell: %j",
  (text) => {
    expect(execFileSync("sh", ["-c", `printf %s ${shellWord(text)}`], { encoding: "utf8" })).toBe(text);
  },
);

it("a plain path is printed without quotes", () => {
  expect(shellWord("/etc/openemr-ops/config.json")).toBe("/etc/openemr-ops/config.json");
});
