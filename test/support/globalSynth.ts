import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "@openemr-ops/core/config/load";
import { type AcceptedResource, acceptedBelow, inspectWithNag } from "@openemr-ops/stacks/nag";
import { type SynthesizedStack, synthesize } from "@openemr-ops/stacks/synthesize";
import type { TestProject } from "vitest/node";
import { aSampleDeployment, canaries } from "./sampleDeployment.ts";

/** What tests look at: the sample configuration, deployed for good and as a developer's stage. */
export interface SynthesizedSample {
  readonly prod: readonly SynthesizedStack[];
  readonly developer: readonly SynthesizedStack[];
  /** cdk-nag's reports of the first: one line of CSV for each rule and resource. */
  readonly nagReports: readonly string[];
  /** What the stacks of the first accept. */
  readonly accepted: readonly AcceptedResource[];
  /** Where the first's bundles of functions lie. */
  readonly directory: string;
}

declare module "vitest" {
  interface ProvidedContext {
    synth: SynthesizedSample;
  }
}

const place = { region: "eu-central-1", account: "123456789012" };

/** Synthesises once for all tests, with secrets around that must not get into anything. */
export default async (project: TestProject): Promise<() => void> => {
  const directory = mkdtempSync(join(tmpdir(), "openemr-ops-synth-"));
  const before = { ...process.env };
  Object.assign(process.env, canaries.environment);
  try {
    await using sample = await aSampleDeployment();
    const config = await loadConfig(sample.path);
    const now = new Date("2026-01-01T00:00:00Z");
    let accepted: readonly AcceptedResource[] = [];
    const prod = await synthesize({
      config,
      stage: "prod",
      ...place,
      outdir: join(directory, "prod"),
      now,
      inspect: (app) => {
        inspectWithNag(app);
        accepted = acceptedBelow(app);
      },
    });
    const developer = await synthesize({
      config,
      stage: "dev-x",
      ...place,
      outdir: join(directory, "dev-x"),
      imageUri: "123456789012.dkr.ecr.eu-central-1.amazonaws.com/openemr-ops@sha256:0",
      now,
    });
    const nagReports = readdirSync(prod.directory)
      .filter((name) => name.endsWith("-NagReport.csv"))
      .flatMap((name) => readFileSync(join(prod.directory, name), "utf8").trim().split("\n").slice(1));
    project.provide("synth", {
      prod: prod.stacks,
      developer: developer.stacks,
      nagReports,
      accepted,
      directory: prod.directory,
    });
  } finally {
    for (const name of Object.keys(canaries.environment)) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  }
  return () => rmSync(directory, { recursive: true, force: true });
};
