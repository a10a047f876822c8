import { access, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { listDumps } from "@openemr-ops/dumps/steps/listDumps";
import { restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { fileJobs } from "@openemr-ops/files/fileJobs";
import { startVersityGateway, type VersityGateway } from "@openemr-ops/local/servers/versitygw";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aClinic, type Clinic } from "../../support/aClinic.ts";
import { contextFor, resticsHere } from "../../support/dumpContext.ts";
import { type RealCommandLine, realCommandLine } from "../../support/realCommandLine.ts";
import { type SmallFileSystem, smallFileSystem } from "../../support/smallFileSystem.ts";

const ownPassword = "canary-offsite-password-81f0";

let clinic: Clinic;
let disk: SmallFileSystem;
let program: RealCommandLine;
/** Newest first. */
let dumped: readonly string[];
beforeAll(async () => {
  clinic = await aClinic();
  disk = await smallFileSystem(join(clinic.directory, "disk"), 64);
  program = await realCommandLine({
    ...clinic,
    environment: { OFFSITE: ownPassword, AWS_EC2_METADATA_DISABLED: "true" },
  });
  const ids: string[] = [];
  for (let count = 0; count < 2; count += 1) {
    const end = await program.run(["dump"]);
    expect(end.exitCode, end.stderr).toBe(0);
    ids.unshift((end.json as { readonly dumpId: string }).dumpId);
  }
  dumped = ids;
}, 120_000);
afterAll(async () => {
  await disk?.[Symbol.asyncDispose]();
  await clinic?.remove();
});

const to = (directory: string) => ["copy", "--to", `file://${directory}`];
/** What a configuration with the copy as its destination gets to see. */
const at = (directory: string, password?: string) =>
  contextFor({
    ...clinic,
    directory: join(clinic.directory, "elsewhere"),
    dumps: { destination: `file://${directory}` },
    ...(password ? { environment: { REPOSITORY_PASSWORD: password } } : {}),
  });

describe("a copy to a disk that the configuration does not list", () => {
  it.each([["--dry-run"], []])("is refused where the disk is not mounted (%s)", async (...flags) => {
    const place = `/openemr-ops-unmounted-${process.pid}`;
    const end = await program.run([...to(`${place}/clinic-a`), ...flags]);

    expect(end).toMatchObject({
      exitCode: 4,
      json: {
        error: {
          name: "DestinationMissingError",
          message: expect.stringMatching(/on the root file system.*mount the disk.*\(--force-new-repository\)$/),
        },
      },
    });
    await expect(access(place)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("is of the dump that was named, then of all that are not there yet, and can be repeated", async () => {
    const place = join(disk.path, "clinic-a");
    const planned = await program.run([...to(place), "--dry-run"]);
    expect(planned, planned.stderr).toMatchObject({ exitCode: 0, json: { dryRun: true, dumps: dumped } });
    await expect(access(place)).rejects.toMatchObject({ code: "ENOENT" });

    const [newest = "", older = ""] = dumped;
    const first = await program.run([...to(place), "--dump", older]);
    expect(first, first.stderr).toMatchObject({ exitCode: 0, json: { copied: [older], dumpId: older } });
    expect(await program.run([...to(place), "--dump", "latest"])).toMatchObject({ json: { copied: [newest] } });
    expect(await program.run(to(place))).toMatchObject({ exitCode: 0, json: { copied: [], dumpId: newest } });

    const listed = await listDumps(await at(place));
    expect(listed).toMatchObject(dumped.map((dumpId) => ({ dumpId, complete: true, sealed: true })));
  }, 120_000);

  it("is recorded with its place, so that the same disk is missed when it is gone", async () => {
    const place = join(disk.path, "clinic-a");
    const jobs = await fileJobs({ directory: join(clinic.directory, "state/jobs"), now: () => new Date() }).list(
      "clinic-a",
    );
    const [job] = jobs.filter(({ kind }) => kind === "copy");
    expect(job).toMatchObject({
      status: "succeeded",
      result: { destination: `file://${place}` },
    });
    expect(job?.result).not.toHaveProperty("copy");

    await disk[Symbol.asyncDispose]();
    disk = await smallFileSystem(disk.path, 64);
    expect(await program.run(to(place))).toMatchObject({
      exitCode: 4,
      json: { error: { name: "DestinationMissingError", message: expect.stringMatching(/held dumps until/) } },
    });
  });

  it("has a password of its own by reference, and restores with that alone", async () => {
    const { restic = "" } = resticsHere().at(-1) ?? {}; // the oldest; the tests above have the current one
    const place = join(disk.path, "own");
    const file = join(clinic.directory, "offsite.json");
    await writeFile(file, JSON.stringify({ destination: `file://${place}`, password: "env:OFFSITE" }));
    const end = await program.run(["copy", "--to", file, "--dump", "latest"], {
      environment: { OPENEMR_OPS_RESTIC: restic },
    });
    expect(end, end.stderr).toMatchObject({ exitCode: 0, json: { copied: [dumped[0]] } });

    expect(await listDumps(await at(place, "canary-of-the-first-store"))).toMatchObject([{ sealed: null }]);
    const places = { intoDatabase: `${clinic.schema.name}_own`, intoSites: join(clinic.directory, "own") };
    const verdict = await restoreDump(await at(place, ownPassword), { dump: "latest", ...places });
    expect(verdict).toMatchObject({ verdict: "passed", dumpId: dumped[0] });
  }, 120_000);
});

describe("a copy to a bucket that the configuration does not list", () => {
  let server: VersityGateway;
  let client: S3Client;
  const file = () => join(clinic.directory, "bucket.json");
  beforeAll(async () => {
    server = await startVersityGateway();
    const { url: endpoint, region, accessKeyId, secretAccessKey } = server;
    const keys = { accessKeyId, secretAccessKey };
    client = new S3Client({ endpoint, region, forcePathStyle: true, credentials: keys });
    await client.send(new CreateBucketCommand({ Bucket: "offsite" }));
    await writeFile(join(clinic.directory, "keys.json"), JSON.stringify(keys), { mode: 0o600 });
    const target = {
      destination: "s3://offsite/clinic-a",
      endpoint,
      region,
      credentials: "keys.json",
      password: "env:OFFSITE",
    };
    await writeFile(file(), JSON.stringify(target));
  });
  afterAll(() => server?.stop());
  const objects = async (): Promise<number> =>
    (await client.send(new ListObjectsV2Command({ Bucket: "offsite" }))).KeyCount ?? 0;

  it("is refused where data may not go, and nothing is written", async () => {
    const configuration = join(clinic.directory, "c.json");
    const written = await readFile(configuration, "utf8");
    const config = JSON.parse(written);
    config.installations[0].residency = { endpoints: ["https://s3.example.org"] };
    await writeFile(configuration, JSON.stringify(config));
    const end = await program.run(["copy", "--to", file()]);
    await writeFile(configuration, written);

    expect(end, end.stderr).toMatchObject({ exitCode: 3, json: { error: { name: "ResidencyError" } } });
    expect(await objects()).toBe(0);
  });

  it("takes credentials and password from the places that the file names", async () => {
    const end = await program.run(["copy", "--to", file()]);

    expect(end, end.stderr).toMatchObject({ exitCode: 0, json: { copied: dumped } });
    expect(await objects()).toBeGreaterThan(10);
    expect(await program.run(["copy", "--to", file()])).toMatchObject({ exitCode: 0, json: { copied: [] } });
  }, 120_000);
});
