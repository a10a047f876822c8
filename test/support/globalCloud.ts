import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { synthesize } from "../../stacks/synthesize.ts";
import { deployedAccount, deployedRegion, deployedStage, loadDeployedConfig } from "./deployedConfig.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Directory of the synthesised sample: `manifest.json`, templates, bundles. */
    assembly: string;
  }
}

/** Synthesises the sample configuration once for all tests of stacks and of the local cloud. */
export default async (project: TestProject): Promise<() => Promise<void>> => {
  const outdir = await mkdtemp(join(tmpdir(), "openemr-ops-assembly-"));
  const { directory } = await synthesize({
    config: await loadDeployedConfig(),
    ...{ stage: deployedStage, region: deployedRegion, account: deployedAccount, outdir },
    imageUri: `${deployedAccount}.dkr.ecr.${deployedRegion}.amazonaws.com/openemr-ops@sha256:${"0".repeat(64)}`,
    now: new Date("2026-01-01T00:00:00Z"),
  });
  project.provide("assembly", directory);
  return () => rm(outdir, { recursive: true, force: true });
};
