import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { resolveConfig } from "@openemr-ops/core/config/resolve";
import { configSchema } from "@openemr-ops/core/config/schema";
import { requireSection, selectInstallation } from "@openemr-ops/core/config/select";
import type { S3Server } from "@openemr-ops/local/servers/storeServer";
import { startVersityGateway } from "@openemr-ops/local/servers/versitygw";
import { operations } from "@openemr-ops/task/operations";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { aConfig, anInstallation } from "../support/configuration.ts";
import { resticsHere } from "../support/dumpContext.ts";

let directory: string;
let s3: S3Server;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "check-destination-"));
  s3 = await startVersityGateway();
  vi.stubEnv("AWS_ACCESS_KEY_ID", s3.accessKeyId);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", s3.secretAccessKey);
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
  const client = new S3Client({ endpoint: s3.url, region: s3.region, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: "clinic-a-dumps" }));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await s3?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** The check as the command runs it; its findings without their times. */
const check = async (dumps: Readonly<Record<string, unknown>>, restic: string) => {
  const changed = anInstallation({ dumps: { ...anInstallation().dumps, ...dumps } });
  const config = resolveConfig(configSchema.parse(aConfig(changed)), directory);
  const installation = requireSection(config, selectInstallation(config), "dumps");
  const findings = await operations.checkDestination({
    config,
    installation,
    now: () => new Date(),
    environment: { ...process.env, OPENEMR_OPS_RESTIC: restic },
    signal: new AbortController().signal,
    progress: () => {},
    warn: () => {},
  });
  return findings.map(({ check: what, ok, note }) => ({ what, ok, note }));
};
const failing = (findings: Awaited<ReturnType<typeof check>>) => findings.filter(({ ok }) => !ok);
const aDirectory = (name: string) => ({ destination: `file://${join(directory, name)}` });
const aBucket = () => ({
  destination: "s3://clinic-a-dumps/openemr",
  endpoint: s3.url,
  region: s3.region,
  pathStyle: true,
});
/** A program in restic's place. */
const aRestic = async (script: string): Promise<string> => {
  const path = join(await mkdtemp(join(directory, "bin-")), "restic");
  await writeFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
};

describe.each(resticsHere())("the check of a destination with $name", ({ restic }) => {
  it("lets restic do in a directory what it will do there, and leaves nothing", async () => {
    const findings = await check(aDirectory("repository"), restic);

    expect(failing(findings)).toEqual([]);
    expect(findings.find(({ what }) => /makes a repository/.test(what))?.note).toMatch(/^restic \d+\.\d+\.\d+$/);
    expect(await readdir(join(directory, "repository"), { recursive: true })).toEqual([".incoming"]);
  });

  it("lets restic do in a bucket what it will do there, and leaves nothing", async () => {
    expect(failing(await check(aBucket(), restic))).toEqual([]);

    const client = new S3Client({ endpoint: s3.url, region: s3.region, forcePathStyle: true });
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: "clinic-a-dumps" }));
    expect(Contents).toEqual([]);
  });
});

describe("the check of a destination that serves us", () => {
  it("fails when restic is too old, and says what to install", async () => {
    const old = await aRestic("echo 'restic 0.13.1 compiled with go1.18 on linux/amd64'");

    expect(failing(await check(aDirectory("old"), old))).toMatchObject([
      { note: expect.stringMatching(/^ToolMissingError: restic 0\.13\.1 is too old: install restic 0\.14 or newer/) },
    ]);
  });

  it("fails when restic is denied what we are not", async () => {
    const [{ restic = "" } = {}] = resticsHere();
    const denied = 'case "$*" in *backup*) echo "Fatal: client.BucketExists: Access Denied." >&2; exit 1;; esac';
    const picky = await aRestic(`${denied}\nexec ${restic} "$@"`);

    expect(failing(await check(aBucket(), picky))).toMatchObject([
      { what: "it stores a stream and gives it back", note: expect.stringMatching(/^DestinationAccessDeniedError/) },
    ]);
  });
});
