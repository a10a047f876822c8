import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findTool } from "@openemr-ops/local/tools/findTool";
import { inspectWithNag } from "@openemr-ops/stacks/nag";
import { type SynthesizedStack, synthesize } from "@openemr-ops/stacks/synthesize";
import { Stack } from "aws-cdk-lib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manyInstallations } from "../../support/manyInstallations.ts";
import { type Measured, measure } from "../../support/quotas.ts";

/** Of one account and region, as AWS sets them and, where two are known, the one that nobody can have raised. */
const quotas: Measured = {
  "resources of a stack": 500,
  "bytes of a template": 1_000_000,
  "outputs of a stack": 200,
  "characters of a role's own policies": 10_240,
  "characters of a managed policy": 6_144,
  "characters of a key's policy": 32_768,
  "metrics of a widget": 500,
  "metrics of a dashboard": 2_500,
  "characters of a search": 1_024,
  "rules of a bus": 300,
  "bytes of a workflow": 1_048_576,
  "bytes of a function's variables": 4_096,
  "stacks of a stage": 2_000,
};

describe("a stage with 100 installations", () => {
  const directory = mkdtempSync(join(tmpdir(), "openemr-ops-quotas-"));
  let stacks: readonly SynthesizedStack[];
  const inspected: string[] = [];
  const isOf = (installations: number, name: string): boolean =>
    !name.includes("InstallationStack-") || Number(name.slice(-3)) < installations;
  const of = (installations: number): readonly SynthesizedStack[] =>
    stacks.filter(({ name }) => isOf(installations, name));

  beforeAll(async () => {
    const made = await synthesize({
      config: await manyInstallations(100),
      stage: "production",
      region: "eu-central-1",
      account: "123456789012",
      outdir: directory,
      imageUri: "123456789012.dkr.ecr.eu-central-1.amazonaws.com/openemr-ops@sha256:0",
      now: new Date("2026-01-01T00:00:00Z"),
      bundles: false,
      inspect: (root) => {
        for (const stack of root.node.findAll().filter(Stack.isStack)) {
          if (!isOf(1, stack.stackName)) continue;
          inspectWithNag(stack);
          inspected.push(stack.stackName);
        }
      },
    });
    stacks = made.stacks;
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it.each(Object.entries(quotas))("has no more %s than %i", (what, most) => {
    const measured = measure(of(100));
    expect(Object.keys(measured).sort()).toEqual(Object.keys(quotas).sort());
    const found = measured[what as keyof Measured];
    expect(found).toBeGreaterThan(0);
    expect(found).toBeLessThanOrEqual(most);
  });

  it("needs no more room in what installations share than one with a single installation, but for their names and one rule each", () => {
    const names = ({ "bytes of a function's variables": _, ...rest }: Measured) => rest;
    const { "stacks of a stage": all, "rules of a bus": rules, ...shared } = names(measure(of(100)));
    const { "stacks of a stage": few, "rules of a bus": own = 0, ...one } = names(measure(of(1)));
    expect([few, all]).toEqual([4, 103]);
    expect(rules).toBe(own + 99);
    expect(shared).toEqual(one);
  });

  it("has nothing that cdk-nag finds and nobody accepted, in what installations share and in one of them", () => {
    expect(inspected.toSorted()).toEqual(
      of(1)
        .map(({ name }) => name)
        .toSorted(),
    );
    // Placeholders in place of the code run on another Node.js (AwsSolutions-L1).
    const found = of(1).flatMap(({ messages }) =>
      messages.filter(({ text }) => /^(AwsSolutions-(?!L1:)|HIPAA|NIST)/.test(text)),
    );
    expect(found.map(({ path, text }) => `${path}: ${text}`)).toEqual([]);
  });

  it("has nothing against cfn-lint, in what installations share and in one of them", () => {
    const names = of(1).map(({ name }) => join(directory, `${name}.template.json`));
    const options = ["--format", "json", "--regions", "eu-central-1", "--ignore-checks", "W3005", "W2531"];
    const { stdout } = spawnSync(findTool("cfn-lint") ?? "cfn-lint", [...options, "--template", ...names], {
      encoding: "utf8",
    });
    expect(JSON.parse(stdout)).toEqual([]);
  });
});
