import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { CreateBucketCommand, ListObjectsV2Command, PutBucketPolicyCommand, S3Client } from "@aws-sdk/client-s3";
import { startVersityGateway, type VersityGateway } from "@openemr-ops/local/servers/versitygw";
import { operations } from "@openemr-ops/task/operations";
import type { Place } from "@openemr-ops/task/program";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { aClinic, type Clinic } from "../support/aClinic.ts";
import type { WrittenInstallation } from "../support/configuration.ts";
import { configurationFor, resticsHere } from "../support/dumpContext.ts";
import { placeFor } from "../support/place.ts";

const { programs } = operations;
const bucket = "clinic-a-dumps";

let clinic: Clinic;
let s3: VersityGateway;
let root: S3Client;
let keys: Readonly<Record<"writer" | "remover", string>>;

beforeAll(async () => {
  for (const name of Object.keys(process.env).filter((each) => /^AWS_/.test(each))) vi.stubEnv(name, undefined);
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true"); // no keys are found here but those of the configuration
  clinic = await aClinic();
  s3 = await startVersityGateway();
  const { url: endpoint, region, accessKeyId, secretAccessKey } = s3;
  root = new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
  await root.send(new CreateBucketCommand({ Bucket: bucket }));
  const [writer, remover] = [await s3.addUser(), await s3.addUser()];
  const allow = (who: string, Action: readonly string[], where: string) => ({
    Effect: "Allow",
    Principal: { AWS: [who] },
    Action,
    Resource: `arn:aws:s3:::${bucket}${where}`,
  });
  const Statement = [
    ...[writer, remover].flatMap(({ accessKeyId: who }) => [
      allow(who, ["s3:ListBucket"], ""),
      allow(who, ["s3:GetObject", "s3:PutObject"], "/*"),
    ]),
    ...["*/locks/*", "*/scratch/*/store/locks/*"].map((where) =>
      allow(writer.accessKeyId, ["s3:DeleteObject"], `/${where}`),
    ),
    allow(remover.accessKeyId, ["s3:DeleteObject"], "/*"),
  ];
  await root.send(
    new PutBucketPolicyCommand({ Bucket: bucket, Policy: JSON.stringify({ Version: "2012-10-17", Statement }) }),
  );
  keys = { writer: JSON.stringify(writer), remover: JSON.stringify(remover, null, 2) };
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await s3?.stop();
  await clinic?.remove();
});

const stored = async (name: string): Promise<readonly string[]> => {
  const { Contents = [] } = await root.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: `${name}/` }));
  return Contents.map(({ Key = "" }) => Key.slice(name.length + 1));
};

let places = 0;
/** A place of its own at the store, with the credentials that the configuration names. */
const aPlace = async (
  restic: string,
  dumps: Partial<WrittenInstallation["dumps"]> = {},
  environment: Readonly<Record<string, string>> = {},
): Promise<{ readonly name: string; readonly place: Place }> => {
  const name = `place-${places++}`;
  const directory = join(clinic.directory, name);
  await mkdir(join(directory, "drills"), { recursive: true });
  const { schema, sitesPath } = clinic;
  const destination = { destination: `s3://${bucket}/${name}`, endpoint: s3.url, region: s3.region };
  const written = configurationFor({
    ...{ schema, sitesPath, directory, restic },
    dumps: { ...destination, credentials: "env:STORE_KEYS", retention: { keepLast: 1 }, ...dumps },
    environment: { STORE_KEYS: keys.writer, CLEARING_KEYS: keys.remover, ...environment },
  });
  return { name, place: placeFor(written, directory) };
};

const aDump = { version: 1, kind: "dump", dryRun: false, forceNewRepository: false } as const;
const clearing = { version: 1, kind: "retention", dryRun: false } as const;
const ways = [
  ...resticsHere().map(({ name, restic }) => ({ name, restic, dumps: {} })),
  { name: "portable files", restic: "restic", dumps: { format: "portable", password: undefined } as const },
];

describe.each(ways)("a store with keys of its own, dumps by $name", ({ restic, dumps }) => {
  it("takes dumps by the keys of the configuration, which are drilled, and cleared by others", async () => {
    const { name, place } = await aPlace(restic, { ...dumps, retentionCredentials: "env:CLEARING_KEYS" });
    await programs.dump.run(place, aDump);
    const { result } = await programs.dump.run(place, aDump);
    expect((await operations.listDumps(place)).map(({ complete }) => complete)).toEqual([true, true]);

    const drilled = await programs.drill.run(place, { version: 1, kind: "drill", dump: "latest", dryRun: false });
    expect(drilled.result).toMatchObject({ verdict: "passed" });
    const cleared = await programs.retention.run(place, clearing);
    expect(cleared.result.expire).toHaveLength(1);
    expect((await stored(name)).filter((key) => key.startsWith("manifests/"))).toEqual([
      `manifests/clinic-a/${"dumpId" in result ? result.dumpId : ""}.json`,
    ]);
  });

  it("does not clear with the keys of dumps where these may not delete", async () => {
    const { name, place } = await aPlace(restic, dumps);
    await programs.dump.run(place, aDump);
    await programs.dump.run(place, aDump);

    await expect(programs.retention.run(place, clearing)).rejects.toMatchObject({
      name: "DestinationAccessDeniedError",
    });
    expect((await stored(name)).filter((key) => key.startsWith("manifests/"))).toHaveLength(2);
  });

  it.each([
    ["a wrong key", () => JSON.stringify({ ...JSON.parse(keys.writer), secretAccessKey: "not-the-key" })],
    ["a key that nobody has", () => JSON.stringify({ accessKeyId: "nobody", secretAccessKey: "nothing" })],
  ])("is denied with %s, and no dump counts", async (_, wrong) => {
    const { name, place } = await aPlace(restic, dumps, { STORE_KEYS: wrong() });

    await expect(programs.dump.run(place, aDump)).rejects.toMatchObject({
      name: "DestinationAccessDeniedError",
      message: expect.stringMatching(/SignatureDoesNotMatch|InvalidAccessKeyId|403/),
    });
    expect(await stored(name)).toEqual([]);
  });

  it("is checked under both keys: the one that writes, and the one that deletes", async () => {
    const { name, place } = await aPlace(restic, { ...dumps, retentionCredentials: "env:CLEARING_KEYS" });

    const findings = await operations.checkDestination(place);
    expect(findings.filter(({ ok }) => !ok)).toEqual([]);
    expect(await stored(name)).toEqual([]);

    const { place: alone } = await aPlace(restic, dumps);
    const failed = (await operations.checkDestination(alone)).filter(({ ok }) => !ok);
    expect(failed.map(({ note }) => note.split(":")[0])).toContain("DestinationAccessDeniedError");
  }, 180_000); // an older restic asks again for half a minute before it gives up
});

it("a secret of another kind is refused by its field, without its value", async () => {
  const other = JSON.stringify({ type: "external_account", audience: "//iam", subject_token_type: "canary-77" });
  const { place } = await aPlace(ways[0]?.restic ?? "", {}, { STORE_KEYS: other });

  const refusal = await programs.dump.run(place, aDump).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ name: "InvalidInputError" });
  expect(String(refusal)).toMatch(/installations\[0\]\.dumps\.credentials: the secret contains credentials of Google/);
  expect(String(refusal)).not.toContain("canary-77");
});
