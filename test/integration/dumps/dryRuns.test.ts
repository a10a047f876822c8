import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { CreateUserCommand, IAMClient } from "@aws-sdk/client-iam";
import { resolveConfig } from "@openemr-ops/core/config/resolve";
import { configSchema } from "@openemr-ops/core/config/schema";
import { selectInstallation } from "@openemr-ops/core/config/select";
import { type InputOf, type JobKind, kindNames } from "@openemr-ops/events/jobKinds";
import { operations } from "@openemr-ops/task/operations";
import type { Place } from "@openemr-ops/task/program";
import { type RunnableProgram, runByHand } from "@openemr-ops/task/runByHand";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aClinic, type Clinic } from "../../support/aClinic.ts";
import { type AwsServer, startAws } from "../../support/awsServer.ts";
import { snapshotOf } from "../../support/configuration.ts";
import { configurationFor } from "../../support/dumpContext.ts";
import { makeRotatable } from "../../support/rotatableClinic.ts";

const common = { version: 1, dryRun: true } as const;
/** One input for each kind. A kind that is missing here does not compile. */
const inputs: { readonly [Kind in JobKind]: InputOf<Kind> } = {
  dump: { ...common, kind: "dump", forceNewRepository: false },
  drill: { ...common, kind: "drill", dump: "latest" },
  check: { ...common, kind: "check", level: "read-data" },
  copy: { ...common, kind: "copy", copy: 1, forceNewRepository: false },
  retention: { ...common, kind: "retention" },
  restore: { ...common, kind: "restore", dump: "latest", inPlace: true, upgrade: false },
  health: { ...common, kind: "health" },
  report: { ...common, kind: "report" },
  users: { ...common, kind: "users" },
  exportDatabase: { ...common, kind: "exportDatabase" },
  exportSites: { ...common, kind: "exportSites" },
  rotateDatabase: { ...common, kind: "rotateDatabase", phase: "all" },
  rotateAdmin: { ...common, kind: "rotateAdmin" },
  rotateMaster: { ...common, kind: "rotateMaster" },
  rotateSmtp: { ...common, kind: "rotateSmtp", phase: "all" },
  redeploy: { ...common, kind: "redeploy" },
};

describe.each(["restic", "portable"] as const)("a dry run by hand, with dumps in the format %s", (format) => {
  let clinic: Clinic;
  let aws: AwsServer;
  let place: Place;
  let rotatable: Awaited<ReturnType<typeof makeRotatable>>;
  const run = (kind: JobKind, dryRun: boolean) => {
    const program: RunnableProgram<never, unknown, unknown> = operations.programs[kind];
    return runByHand(program, place, { ...inputs[kind], dryRun } as never, operations);
  };
  /** All that a job could leave: records, locks, notes, caches, scratch directories, dumps, files, schemas. */
  const everything = async () => ({
    files: await snapshotOf(clinic.directory),
    schemas: await clinic.schema.query(`SHOW DATABASES LIKE '${clinic.schema.name}%'`),
  });

  beforeAll(async () => {
    clinic = await aClinic();
    aws = await startAws();
    await new IAMClient().send(new CreateUserCommand({ UserName: "ses-smtp-user" }));
    rotatable = await makeRotatable(clinic);
    const copies = [{ destination: `file://${clinic.directory}/second` }];
    const dumps = { ...(format === "portable" ? { format } : {}), copies };
    const { config: written, environment } = configurationFor({ ...clinic, dumps });
    const [installation] = written.installations;
    const { user: username, password } = clinic.schema;
    const sections = {
      health: { url: "http://127.0.0.1:9/" },
      users: { administrator: "env:ADMINISTRATOR" },
      exports: { destination: `file://${clinic.directory}/exports` },
      rotations: rotatable.rotations,
    };
    const complete = { ...written, installations: [{ ...installation, ...sections }] };
    const config = resolveConfig(configSchema.parse(complete), clinic.directory);
    place = {
      config,
      installation: selectInstallation(config),
      environment: {
        ...environment,
        ADMINISTRATOR: JSON.stringify({ username, password }),
      },
      now: () => new Date(),
      signal: new AbortController().signal,
      progress: () => undefined,
      warn: () => undefined,
    };
  });
  afterAll(async () => {
    await aws[Symbol.asyncDispose]();
    await rotatable.remove();
    await clinic.remove();
  });

  it("of the first dump creates neither a state directory nor a destination", async () => {
    const before = await everything();

    expect((await run("dump", true)).result).toMatchObject({ dryRun: true });
    expect(await everything()).toEqual(before);
    expect(existsSync(place.config.stateDirectory)).toBe(false);
  });

  const leavesNothing = async (kind: JobKind) => {
    const before = await everything();

    expect((await run(kind, true)).result).toMatchObject({ dryRun: true });
    expect(await everything()).toEqual(before);
  };

  describe("after a dump", () => {
    beforeAll(() => run("dump", false));

    it.each(kindNames)("of a %s leaves no record, no lock and nothing else", leavesNothing);
  });

  it("is not what leaves a record: the job itself does", async () => {
    const before = await everything();
    await run("check", false);

    const after = await everything();
    expect(after.files.filter((line) => !before.files.includes(line)).join("\n")).toContain("/state/jobs/");
  });

  describe("without a state directory", () => {
    beforeAll(() => rm(place.config.stateDirectory, { recursive: true }));

    it.each(kindNames)("of a %s creates none", leavesNothing);
  });
});
