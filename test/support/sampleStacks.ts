import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfigText } from "@openemr-ops/core/config/load";
import { findTool } from "@openemr-ops/local/tools/findTool";
import { inspectWithNag } from "@openemr-ops/stacks/nag";
import { type SynthesizedStack, synthesize } from "@openemr-ops/stacks/synthesize";
import { expect } from "vitest";
import { sampleConfigPath } from "./sampleDeployment.ts";

type Written = Readonly<Record<string, unknown>>;

/** Stacks of one installation of the sample. */
export interface SampleStacks extends Disposable {
  readonly directory: string;
  readonly stacks: readonly SynthesizedStack[];
}

/**
 * Synthesises the sample's first installation with what every installation has, and with the sections that are chosen of it: a
 * section that the sample gets later changes nothing here.
 *
 * @param choose gets the sections of the sample
 */
export const sampleStacks = async (choose: (sample: Readonly<Record<string, Written>>) => Written) => {
  const { installations, ...rest } = JSON.parse(readFileSync(sampleConfigPath, "utf8"));
  const { id, platform, database, sites, ...sections } = installations[0];
  const config = { ...rest, installations: [{ id, platform, database, sites, ...choose(sections) }] };
  const directory = mkdtempSync(join(tmpdir(), "openemr-ops-stacks-"));
  const { stacks } = await synthesize({
    config: await loadConfigText(JSON.stringify(config), { from: "test", directory: "/etc/openemr-ops" }),
    stage: "prod",
    region: "eu-central-1",
    account: "123456789012",
    outdir: directory,
    imageUri: "123456789012.dkr.ecr.eu-central-1.amazonaws.com/openemr-ops@sha256:0",
    bundles: false,
    inspect: inspectWithNag,
  });
  return {
    directory,
    stacks,
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  } satisfies SampleStacks;
};

/** Nothing that cdk-nag finds and nobody accepted. */
export const expectNoNag = ({ stacks }: SampleStacks): void => {
  // Placeholders in place of the code run on another Node.js (AwsSolutions-L1).
  const found = stacks.flatMap(({ messages }) =>
    messages.filter(({ text }) => /^(AwsSolutions-(?!L1:)|HIPAA|NIST)/.test(text)),
  );
  expect(found.map(({ path, text }) => `${path}: ${text}`)).toEqual([]);
};

/** W3005: "dependency already enforced by a GetAtt", which CDK says twice everywhere. W2531: the placeholders' runtime. */
const ofCdk = ["W3005", "W2531"];

/** Nothing against the templates of these stacks. */
export const expectNoLint = ({ directory, stacks }: SampleStacks): void => {
  const templates = stacks.map(({ name }) => join(directory, `${name}.template.json`));
  const options = ["--format", "json", "--regions", "eu-central-1", "--ignore-checks", ...ofCdk];
  const { stdout } = spawnSync(findTool("cfn-lint") ?? "cfn-lint", [...options, "--template", ...templates], {
    encoding: "utf8",
  });
  expect(JSON.parse(stdout)).toEqual([]);
};
