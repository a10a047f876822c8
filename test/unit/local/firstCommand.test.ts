import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { expect, it } from "vitest";

const textOf = (name: string): string => readFileSync(join(repositoryRoot, name), "utf8");

it("is what README says, and CI types it first, with nothing of its own before", () => {
  const [, tryIt = ""] = textOf("README.md").split("## Try it\n");
  const shown = [...(tryIt.split("\n## ")[0] ?? "").matchAll(/```sh\n([^`]+)```/g)].flatMap(([, block = ""]) =>
    block.trim().split("\n"),
  );
  const lines = textOf(".ci/run")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));

  expect(shown).toEqual(["npm ci && npm run demo", "npm ci && npm test"]);
  expect(lines).toEqual([
    "set -euo pipefail",
    'cd "$(dirname "$0")/.."',
    "unset OPENEMR_OPS_TOOLS",
    `export OPENEMR_OPS_SERVERS="$${"{OPENEMR_OPS_SERVERS:-all}"}"`, // no server is left out silently
    ...shown.map((line) => `${line} || exit`),
  ]);
});
