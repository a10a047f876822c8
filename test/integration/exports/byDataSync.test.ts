import { mkdir, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { dataSyncCopier } from "@openemr-ops/aws/dataSync";
import { s3Destination } from "@openemr-ops/aws/s3Destination";
import { exportSites } from "@openemr-ops/exports/sites/exportSites";
import { startVersityGateway, type VersityGateway } from "@openemr-ops/local/servers/versitygw";
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from "vitest";
import { startAwsStub } from "../../support/awsStub.ts";
import { bulkCopierDouble, type CopierChanges } from "../../support/bulkCopierDouble.ts";
import { seededBytes } from "../../support/bytes.ts";
import { aDataSync, answerAsDataSync, dataSyncTask } from "../../support/dataSyncDouble.ts";
import { aSitesContext, digestOf, exportedFiles, inventoryOf, sealOf } from "../../support/exportedSites.ts";
import { aSqlconf, aTree } from "../../support/sitesTree.ts";

const bucket = "sagemaker-clinic-a";
let server: VersityGateway;
beforeAll(async () => {
  server = await startVersityGateway({ keepAlive: true });
  vi.stubEnv("AWS_ACCESS_KEY_ID", server.accessKeyId);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", server.secretAccessKey);
  const { url: endpoint, region } = server;
  await new S3Client({ endpoint, region, forcePathStyle: true }).send(new CreateBucketCommand({ Bucket: bucket }));
});
afterAll(async () => {
  await server.stop();
  vi.unstubAllEnvs();
});

const past = 1_700_000_000;
const write = async (root: string, name: string, bytes: Buffer | string) => {
  await mkdir(dirname(join(root, name)), { recursive: true });
  await writeFile(join(root, name), bytes);
  await utimes(join(root, name), past, past);
};
const documentOf = (index: number) => `default/documents/${index % 7}/scan ${index}.pdf`;
const contentOf = (index: number) => seededBytes(index, index % 2 === 0 ? 90_000 + index : 900 + index);
const secret = "default/documents/logs_and_misc/methods/sixa";

const practice = async () => {
  const root = await aTree({ "default/sqlconf.php": aSqlconf() });
  for (let index = 0; index < 60; index++) await write(root, documentOf(index), contentOf(index));
  await write(root, secret, seededBytes(1, 90_000));
  return root;
};

/** Exports with DataSync as its API has it, on a store of others' making. */
const run = async (root: string, prefix: string, changes: CopierChanges = {}) => {
  const destination = s3Destination({
    ...{ bucket, prefix, endpoint: server.url, region: server.region, pathStyle: true },
  });
  const double = bulkCopierDouble(root, destination, changes);
  let copying = Promise.resolve();
  const dataSync = aDataSync({
    looks: [{ Status: "TRANSFERRING" }],
    destination: { LocationUri: `s3://${bucket}/${prefix}/sites/` },
  });
  dataSync.onStart = ({ ManifestConfig }) => {
    const { Source } = ManifestConfig as { readonly Source: { readonly S3: { readonly ManifestObjectPath: string } } };
    const key = Source.S3.ManifestObjectPath.slice(prefix.length + 1);
    const surroundings = { signal: new AbortController().signal, progress: () => undefined };
    copying = double.copier.copy({ key, files: 0, bytes: 0 }, surroundings).then(() => {
      dataSync.looks = [{ Status: "SUCCESS" }];
    });
  };
  const stub = await startAwsStub(answerAsDataSync(dataSync));
  onTestFinished(() => stub[Symbol.asyncDispose]());
  vi.stubEnv("AWS_ENDPOINT_URL_DATASYNC", stub.url);
  const bulkCopier = dataSyncCopier({
    task: dataSyncTask,
    listRole: "arn:aws:iam::123456789012:role/list",
    source: { fileSystemId: "fs-0123456789abcdef0", accessPointId: "fsap-0123456789abcdef0" },
    ...{ bucket, prefix, now: () => new Date() },
    wait: () => copying,
  });
  const result = await exportSites(aSitesContext(root, destination, { bulkCopier }), {
    exportId: "20261127T040000Z-00000000",
  });
  return { destination, result, copied: double.copied };
};

it("copies the large files by DataSync and sends the small ones, and a second run nothing", async () => {
  const root = await practice();
  const { destination, result, copied } = await run(root, "whole/analytics");
  expect([result.files, result.uploaded, copied.length]).toEqual([60, 60, 30]);
  const files = await exportedFiles(destination);
  for (let index = 0; index < 60; index++)
    expect(digestOf(files.get(documentOf(index)) ?? "")).toBe(digestOf(contentOf(index)));
  expect([...files.keys()]).not.toContain(secret);
  const rows = await inventoryOf(destination);
  expect([...rows.values()].filter(({ sha256 }) => sha256 === undefined)).toHaveLength(30);

  const again = await run(root, "whole/analytics");
  expect([again.result.uploaded, again.result.unchanged, again.copied]).toEqual([0, 60, []]);
});

it("sends a file itself that has other times and the same bytes: its ETag is as before", async () => {
  const root = await practice();
  await run(root, "touched/analytics");
  await utimes(join(root, documentOf(2)), past + 5, past + 5);
  const { result, copied } = await run(root, "touched/analytics");
  expect([result.uploaded, copied]).toEqual([1, [documentOf(2)]]);
});

it.each<[string, CopierChanges, RegExp]>([
  ["drops a file", { instead: (names) => names.slice(1) }, /1 file\(s\) of the list did not arrive/],
  [
    "copies a key too",
    { instead: (names) => [...names, secret] },
    /1 object\(s\) .* were not on the list and were removed/,
  ],
])("is not complete where DataSync %s and reports success", async (what, changes, says) => {
  const prefix = `${what.replaceAll(" ", "-")}/analytics`;
  await expect(run(await practice(), prefix, changes)).rejects.toMatchObject({
    name: "IntegrityError",
    message: expect.stringMatching(says),
  });
  const { url: endpoint, region } = server;
  const destination = s3Destination({ bucket, prefix, endpoint, region, pathStyle: true });
  expect(await sealOf(destination)).toBeUndefined();
  expect([...(await exportedFiles(destination)).keys()]).not.toContain(secret);
});
