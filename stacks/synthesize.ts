import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { LoadedConfig } from "@openemr-ops/core/config/load";
import { App } from "sst/constructs";
import { setProject } from "sst/project.js";
import { addStacks } from "./app.ts";
import { appName } from "./appName.ts";
import { deploymentOf } from "./deployment.ts";
import { repositoryRoot } from "./repositoryRoot.ts";

export interface SynthesizeSettings {
  readonly config: LoadedConfig;
  readonly stage: string;
  readonly region: string;
  /** Twelve digits. */
  readonly account: string;
  /** Directory of the assembly: templates, and bundles of functions as `asset.…` directories. */
  readonly outdir: string;
  /** An image that is already pushed, so that none is staged. */
  readonly imageUri?: string;
  /** When schedules become valid; default: now. */
  readonly now?: Date;
  /** `false`: functions get a placeholder in place of their code, to look at large deployments' templates. */
  readonly bundles?: boolean;
  /** Called with the whole app before synthesis; adds aspects such as cdk-nag's. */
  readonly inspect?: (app: App) => void;
}

export interface SynthesizedStack {
  readonly name: string;
  readonly template: Template;
  /** Messages of constructs, such as findings of cdk-nag. */
  readonly messages: readonly StackMessage[];
}

export interface StackMessage {
  readonly level: string;
  /** Path of the construct. */
  readonly path: string;
  readonly text: string;
}

/** A CloudFormation template, unresolved. */
export interface Template {
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly Outputs?: Readonly<Record<string, unknown>>;
  readonly [section: string]: unknown;
}

export interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly [attribute: string]: unknown;
}

export interface Synthesized {
  /** Holds `manifest.json`. */
  readonly directory: string;
  readonly stacks: readonly SynthesizedStack[];
}

/** Changes settings of the whole process, which SST reads while it builds. Returns a function that restores them. */
const borrowProcess = (): (() => void) => {
  const { cwd, env } = { cwd: process.cwd(), env: { ...process.env } };
  process.chdir(repositoryRoot);
  process.env.NODE_ENV = "test"; // SST then sends no request to AWS
  process.env.SST_BUILD_CONCURRENCY ??= "4";
  process.env.JSII_DEPRECATED = "quiet";
  return () => {
    process.chdir(cwd);
    for (const name of ["NODE_ENV", "SST_BUILD_CONCURRENCY", "JSII_DEPRECATED"]) {
      const before = env[name];
      if (before === undefined) delete process.env[name];
      else process.env[name] = before;
    }
  };
};

/** SST keeps its first project, so all syntheses of a process build in one directory, which is removed with the process. */
const workplace = { running: false, out: undefined as string | undefined };

const placeToBuild = (): string => {
  if (workplace.out !== undefined) return workplace.out;
  const out = mkdtempSync(join(tmpdir(), "openemr-ops-sst-"));
  process.once("exit", () => rmSync(out, { recursive: true, force: true }));
  workplace.out = out;
  return out;
};

/**
 * Builds what `sst build` builds, in this process and without AWS: every stack's template and every function's bundle. One
 * call at a time: SST and esbuild use the working directory as the repository's root.
 *
 * @throws {InvalidInputError} fatal: the configuration cannot be deployed; names each field
 */
export const synthesize = async (settings: SynthesizeSettings): Promise<Synthesized> => {
  const { config, stage, region, account, outdir, imageUri, now = new Date(), bundles = true, inspect } = settings;
  const deployment = deploymentOf(config, stage, { region, account });
  if (workplace.running) throw new TypeError("one synthesis at a time");
  workplace.running = true;
  const out = placeToBuild();
  const giveBack = borrowProcess();
  try {
    setProject({
      config: { name: appName, stage, region, ssmPrefix: `/sst/${appName}/${stage}/` },
      version: "2",
      cdkVersion: "2",
      constructsVersion: "10",
      paths: {
        root: repositoryRoot,
        config: join(repositoryRoot, "sst.config.ts"),
        out,
        artifacts: join(out, "artifacts"),
      },
      metafile: { inputs: {}, outputs: {} },
      stacks: () => {},
    });
    const app = new App({ mode: "deploy", stage, name: appName, region, account }, { outdir: resolve(outdir) });
    addStacks(app, { deployment, root: repositoryRoot, ...(imageUri === undefined ? {} : { imageUri }), now });
    inspect?.(app);
    if (bundles) await app.finish(); // SST builds them here
    const assembly = app.synth();
    return {
      directory: assembly.directory,
      stacks: assembly.stacks.map(({ stackName, template, messages }) => ({
        name: stackName,
        template: template as Template,
        messages: messages.map(({ level, id, entry }) => ({ level, path: id, text: String(entry.data) })),
      })),
    };
  } finally {
    giveBack();
    workplace.running = false;
  }
};
