import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { findTool } from "@openemr-ops/local/tools/findTool";
import { expect, inject, it } from "vitest";

const { directory } = inject("synth");

/** "dependency already enforced by a GetAtt": CDK says so twice everywhere. */
const ofCdk = "W3005";

it("cfn-lint has nothing against the templates", () => {
  const program = findTool("cfn-lint") ?? "cfn-lint";
  const templates = readdirSync(directory).filter((name) => name.endsWith(".template.json"));
  expect(templates).toHaveLength(5);

  const { stdout, status } = spawnSync(
    program,
    [
      ...["--format", "json", "--regions", "eu-central-1", "--ignore-checks", ofCdk],
      "--template",
      ...templates.map((name) => join(directory, name)),
    ],
    { encoding: "utf8" },
  );
  expect(JSON.parse(stdout)).toEqual([]);
  expect(status).toBe(0);
});
