import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { CreateBucketCommand, ListObjectsV2Command, PutBucketPolicyCommand, S3Client } from "@aws-sdk/client-s3";
import { startVersityGateway, type VersityGateway } from "@openemr-ops/local/servers/versitygw";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { aClinic, type Clinic, filesOf, rowsOf } from "../../support/aClinic.ts";
import type { WrittenInstallation } from "../../support/configuration.ts";
import { resticsHere } from "../../support/dumpContext.ts";
import { type RealCommandLine, realCommandLine } from "../../support/realCommandLine.ts";

const bucket = "clinic-a";
const copyPassword = "canary-copy-password-5d2c";

/** A server with one bucket, and two users in it: one reads, one also writes, and deletes restic's locks alone. */
const aStore = async () => {
  const server = await startVersityGateway();
  const { url: endpoint, region, accessKeyId, secretAccessKey } = server;
  const root = new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
  await root.send(new CreateBucketCommand({ Bucket: bucket }));
  const [reader, writer] = [await server.addUser(), await server.addUser()];
  const allow = (Action: readonly string[], where: string, ...who: readonly { readonly accessKeyId: string }[]) => ({
    Effect: "Allow",
    Principal: { AWS: who.map((user) => user.accessKeyId) },
    Action,
    Resource: `arn:aws:s3:::${bucket}${where}`,
  });
  const Statement = [
    allow(["s3:ListBucket"], "", reader, writer),
    allow(["s3:GetObject"], "/*", reader, writer),
    allow(["s3:PutObject"], "/*", writer),
    allow(["s3:DeleteObject"], "/*/locks/*", writer),
  ];
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
  await root.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
  const listed = async (prefix: string): Promise<readonly string[]> => {
    const { Contents = [] } = await root.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix}/` }));
    return Contents.map(({ Key = "", ETag = "" }) => `${Key} ${ETag}`);
  };
  return { server, reader, writer, owner: { accessKeyId, secretAccessKey }, listed };
};

interface Listed {
  readonly dumpId: string;
  readonly complete: boolean;
  readonly sealed: boolean | null;
}

const ways = [
  ...resticsHere().map(({ name, restic }) => ({ way: name, restic, format: "restic" as const })),
  { way: "portable files", restic: undefined, format: "portable" as const },
];

describe.each(ways)("dumps with a copy at another provider ($way)", ({ way, restic, format }) => {
  let clinic: Clinic;
  let first: Awaited<ReturnType<typeof aStore>>;
  let second: Awaited<ReturnType<typeof aStore>>;
  let program: RealCommandLine;
  let servers: readonly VersityGateway[] = [];
  const name = way.replace(/\W+/g, "-");
  const at = (store: typeof first, credentials: string) => ({
    destination: `s3://${bucket}/${name}`,
    endpoint: store.server.url,
    region: store.server.region,
    credentials,
  });
  const dumpsWith = (changes: Partial<WrittenInstallation["dumps"]> = {}) => ({
    format,
    ...at(first, "env:FIRST_KEYS"),
    retention: { keepLast: 5 },
    copies: [
      {
        ...at(second, "env:SECOND_KEYS"),
        retention: { keepLast: 2 },
        ...(format === "restic" ? { password: "env:COPY_PASSWORD" } : {}),
      },
    ],
    ...changes,
  });
  const keys = (one: object, other: object) => ({
    FIRST_KEYS: JSON.stringify(one),
    SECOND_KEYS: JSON.stringify(other),
    COPY_PASSWORD: copyPassword,
  });
  const dumpsAt = async (...where: readonly string[]): Promise<readonly Listed[]> =>
    (await program.run(["dumps", ...where])).json as readonly Listed[];
  const whole = (...ids: readonly string[]) => ids.map((dumpId) => ({ dumpId, complete: true, sealed: true }));

  beforeAll(async () => {
    for (const variable of Object.keys(process.env).filter((each) => /^AWS_/.test(each)))
      vi.stubEnv(variable, undefined);
    clinic = await aClinic();
    [first, second] = [await aStore(), await aStore()];
    servers = [first.server, second.server];
    program = await realCommandLine({
      ...clinic,
      ...(restic ? { restic } : {}),
      dumps: dumpsWith(),
      environment: { ...keys(first.owner, second.writer), AWS_EC2_METADATA_DISABLED: "true" },
    });
  }, 60_000);
  afterAll(async () => {
    vi.unstubAllEnvs();
    for (const server of servers) await server.stop();
    await clinic?.remove();
  });

  let dumped: string;
  it("are copied after the dump, and complete there by the second store's own word", async () => {
    const end = await program.run(["dump"]);
    expect(end, end.stderr).toMatchObject({ exitCode: 0, json: { complete: true, copies: [{ copy: 1 }] } });
    ({ dumpId: dumped } = end.json as { dumpId: string });

    expect(await dumpsAt("--copy", "1")).toMatchObject(whole(dumped));
    expect(end.json).toMatchObject({ copies: [{ figures: { copied: 1, skipped: 0 }, result: { dumpId: dumped } }] });
  }, 60_000);

  it("are copied with no right at the first store but to read, and none at the second but to write", async () => {
    const readOnly = { environment: keys(first.reader, second.writer) };
    const later: string[] = [];
    for (let count = 0; count < 2; count += 1) {
      const end = await program.run(["dump"], {
        environment: keys(first.owner, { accessKeyId: "no", secretAccessKey: "no" }),
      });
      expect(end, end.stderr).toMatchObject({
        exitCode: 8,
        json: { complete: true, copies: [{ copy: 1, error: { name: "DestinationAccessDeniedError" } }] },
      });
      later.unshift((end.json as { dumpId: string }).dumpId);
    }
    expect(await dumpsAt()).toMatchObject(whole(...later, dumped));
    expect(await dumpsAt("--copy", "1")).toMatchObject(whole(dumped));

    const before = await first.listed(name);
    const planned = await program.run(["copy", "--dry-run"], readOnly);
    expect(planned, planned.stderr).toMatchObject({ exitCode: 0, json: { copies: [{ figures: { copied: 2 } }] } });
    expect(await dumpsAt("--copy", "1")).toMatchObject(whole(dumped));
    const end = await program.run(["copy"], readOnly);
    expect(end, end.stderr).toMatchObject({ exitCode: 0, json: { copies: [{ figures: { copied: 2 } }] } });
    expect(await first.listed(name)).toEqual(before);
    expect(await dumpsAt("--copy", "1")).toMatchObject(whole(...later, dumped));
  }, 120_000);

  it("are kept at the copy by its own policy, and what that would not keep is not copied again", async () => {
    const clearing = { environment: keys(first.reader, second.owner) };
    const cleared = await program.run(["retention", "--copy", "1"], clearing);
    expect(cleared, cleared.stderr).toMatchObject({ exitCode: 0, json: { expire: [{ dumpId: dumped }] } });
    const kept = await dumpsAt("--copy", "1");
    expect(kept).toHaveLength(2);

    const there = await second.listed(name);
    const again = await program.run(["copy"], { environment: keys(first.reader, second.writer) });
    expect(again, again.stderr).toMatchObject({ exitCode: 0, json: { copies: [{ figures: { copied: 0 } }] } });
    const objects = (list: readonly string[]) => list.filter((key) => !/processes\.json/.test(key));
    expect(objects(await second.listed(name))).toEqual(objects(there));
    expect(await dumpsAt()).toHaveLength(3);
  }, 60_000);

  it("restore from the copy when the first store is gone, with all rows and files", async () => {
    const live = await rowsOf(clinic.schema, clinic.schema.name);
    const files = await filesOf(clinic.sitesPath);
    await first.server.stop();
    expect(await program.run(["dumps"])).toMatchObject({ exitCode: 4 });
    const checked = await program.run(["check", "--copy", "1", "--level", "read-data"]);
    expect(checked, checked.stderr).toMatchObject({ exitCode: 0 });
    const drilled = await program.run(["drill", "--copy", "1"]);
    expect(drilled, drilled.stderr).toMatchObject({ exitCode: 0, json: { verdict: "passed" } });

    const [database, sites] = [`${clinic.schema.name}_restored`, join(clinic.directory, "restored")];
    const target = ["--into-database", database, "--into-sites", sites, "--for", "host"];
    const restored = await program.run(["restore", "--copy", "1", "--dump", "latest", ...target]);
    expect(restored, restored.stderr).toMatchObject({ exitCode: 0, json: { verdict: "passed", differences: [] } });
    expect(await rowsOf(clinic.schema, database)).toEqual(live);
    expect(await filesOf(sites)).toEqual({ ...files, "default/sqlconf.php": expect.any(String) });

    const failed = await program.run(["copy"]);
    expect(failed, failed.stderr).toMatchObject({
      exitCode: 4,
      json: { error: { name: "DestinationUnavailableError" } },
    });
  }, 120_000);
});

describe("a copy in a directory", () => {
  let clinic: Clinic;
  const options = (changes: Partial<WrittenInstallation["dumps"]> = {}) => ({
    ...clinic,
    dumps: { copies: [{ destination: `file://${join(clinic.directory, "second")}` }], ...changes },
  });
  beforeAll(async () => {
    clinic = await aClinic();
  });
  afterAll(() => clinic.remove());

  it("is refused where dumps were copied before and nothing is now, until a new one is asked for", async () => {
    const program = await realCommandLine(options());
    expect(await program.run(["dump"])).toMatchObject({ exitCode: 0 });
    await mkdir(join(clinic.directory, "unmounted"));
    await rename(join(clinic.directory, "second"), join(clinic.directory, "unmounted/second"));

    const refused = await program.run(["copy"]);
    expect(refused, refused.stderr).toMatchObject({
      exitCode: 4,
      json: { error: { name: "DestinationMissingError" } },
    });
    expect(await program.run(["copy", "--force-new-repository"])).toMatchObject({ exitCode: 0 });
  }, 60_000);

  it("is refused by name where the configuration lists none, or not that one", async () => {
    const program = await realCommandLine(options({ copies: [] }));
    expect(await program.run(["copy"])).toMatchObject({
      exitCode: 2,
      json: { error: { name: "InvalidInputError", message: expect.stringContaining("installations[0].dumps.copies") } },
    });
    expect(await program.run(["dumps", "--copy", "2"])).toMatchObject({
      exitCode: 2,
      json: { error: { message: expect.stringContaining("there is no copy 2") } },
    });
  });
});
