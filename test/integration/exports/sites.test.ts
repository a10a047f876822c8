import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, HeadObjectCommand, ListMultipartUploadsCommand, S3Client } from "@aws-sdk/client-s3";
import { s3Destination } from "@openemr-ops/aws/s3Destination";
import type { Destination } from "@openemr-ops/core/destination";
import { DestinationAccessDeniedError } from "@openemr-ops/core/errors";
import { exportSites } from "@openemr-ops/exports/sites/exportSites";
import { incompleteKey } from "@openemr-ops/exports/sites/seal";
import { fileDestination } from "@openemr-ops/files/fileDestination";
import { startVersityGateway, type VersityGateway } from "@openemr-ops/local/servers/versitygw";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { seededBytes, sha256 } from "../../support/bytes.ts";
import {
  aSitesContext,
  brokenPromises,
  digestOf,
  exportedFiles,
  inventoryOf,
  sealOf,
} from "../../support/exportedSites.ts";
import { aSqlconf, aTree } from "../../support/sitesTree.ts";
import { smallFileSystem } from "../../support/smallFileSystem.ts";

const bucket = "sagemaker-clinic-a";
const files = 300;
/** By hand once with 50. */
const kills = Number(process.env.EXPORT_KILLS ?? 5);
let server: VersityGateway;
let count = 0;

const exportId = () => `20261127T040000Z-${String(++count).padStart(8, "0")}`;
const open = (prefix: string): Destination =>
  s3Destination({ bucket, prefix, endpoint: server.url, region: server.region, pathStyle: true });
const place = (prefix: string) => ({ endpoint: server.url, bucket, prefix, region: server.region });
const freshPrefix = () => `run-${randomBytes(4).toString("hex")}/analytics`;

const documentOf = (index: number) => join("default/documents", String(index % 20), `document-${index}.pdf`);
const contentOf = (index: number, version = 0) => `document ${index} in version ${version} ${"x".repeat(index * 7)}`;

/** A small practice, written long ago. */
const practice = async () => {
  const root = await aTree({ "default/sqlconf.php": aSqlconf() });
  for (let index = 0; index < files; index++) await write(root, index);
  return root;
};
const write = async (root: string, index: number, version = 0) => {
  const path = join(root, documentOf(index));
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, contentOf(index, version));
  await utimes(path, 1_700_000_000, 1_700_000_000 + index + version / 1000);
};

interface ChildResult {
  readonly uploaded: number;
  readonly unchanged: number;
  readonly failed?: string;
  readonly message?: string;
}

/** Runs an export as a program of its own; `undefined` when it was killed. @param before a program that runs it */
const inChild = async (
  request: Readonly<Record<string, unknown>>,
  { before = [] }: { readonly before?: readonly string[] } = {},
): Promise<ChildResult | undefined> => {
  const [command = process.execPath, ...args] = [
    ...before,
    process.execPath,
    join(repositoryRoot, "test/support/exportSitesInChild.ts"),
  ];
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(JSON.stringify({ exportId: exportId(), ...request }));
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  await ended;
  return output === "" ? undefined : (JSON.parse(output) as ChildResult);
};

beforeAll(async () => {
  server = await startVersityGateway({ keepAlive: true });
  vi.stubEnv("AWS_ACCESS_KEY_ID", server.accessKeyId);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", server.secretAccessKey);
  vi.stubEnv("AWS_SESSION_TOKEN", undefined);
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
  const client = new S3Client({ endpoint: server.url, region: server.region, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
});
afterAll(async () => {
  await server.stop();
  vi.unstubAllEnvs();
});

describe("an export of the sites to S3", () => {
  it("stores small and large files with their time and SHA-256, and leaves no unfinished upload", async () => {
    const root = await practice();
    const large = seededBytes(1, 23_000_000);
    await writeFile(join(root, "default/documents/1/study.dcm"), large);
    const prefix = freshPrefix();
    const destination = open(prefix);
    const result = await exportSites(aSitesContext(root, destination), { exportId: exportId() });

    expect(result).toMatchObject({ files: files + 1, uploaded: files + 1, excluded: 1 });
    expect(await brokenPromises(destination)).toEqual([]);
    const stored = await exportedFiles(destination);
    expect(sha256(stored.get("default/documents/1/study.dcm") ?? Buffer.alloc(0))).toBe(sha256(large));

    const client = new S3Client({ endpoint: server.url, region: server.region, forcePathStyle: true });
    const head = await client.send(
      new HeadObjectCommand({ Bucket: bucket, Key: `${prefix}/sites/${documentOf(7)}`, ChecksumMode: "ENABLED" }),
    );
    expect(head.Metadata).toEqual({ mtime: "1700000007.000000000", sha256: digestOf(contentOf(7)) });
    expect(head.ChecksumSHA256).toBe(Buffer.from(digestOf(contentOf(7)), "hex").toString("base64"));
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix }));
    expect(Uploads).toEqual([]);
  });

  it("opens no unchanged file in its next run", async () => {
    const root = await practice();
    const prefix = freshPrefix();
    await inChild({ sites: root, s3: place(prefix) });
    await write(root, 11, 1);
    const trace = join(await aTree({}), "trace");
    const second = await inChild(
      { sites: root, s3: place(prefix) },
      { before: ["strace", "-f", "-qq", "-e", "trace=open,openat", "-o", trace] },
    );

    expect(second).toMatchObject({ uploaded: 1, unchanged: files - 1 });
    const opened = (await readFile(trace, "latin1")).split("\n").filter((line) => line.includes(".pdf"));
    expect(opened.length).toBe(1);
    expect(opened[0]).toContain("document-11.pdf");
  });

  it.each(["record", "mirror"])(
    "is completed by the next run wherever it is killed (%s)",
    async (deletions) => {
      const root = await practice();
      const prefix = freshPrefix();
      const destination = open(prefix);
      const digests = new Set(Array.from({ length: files }, (_, index) => digestOf(contentOf(index))));
      for (let kill = 1; kill <= kills; kill++) {
        for (let index = kill; index < files; index += 9) {
          await write(root, index, kill);
          digests.add(digestOf(contentOf(index, kill)));
        }
        await rm(join(root, documentOf(kill)));
        const randomly = 1 + Math.floor(Math.random() * (kill === 1 ? files : 25));
        const killAt = [randomly, randomly, "sites/_inventory/", "sites/_SUCCESS"][kill % 5] ?? "sites/_INCOMPLETE";
        expect(
          await inChild({ sites: root, s3: place(prefix), deletions, killAt }),
          `change ${killAt}`,
        ).toBeUndefined();
        // A reader may find a file newer than its inventory, for keys are shared; never half of one.
        const broken = await brokenPromises(destination, (_, digest) => digests.has(digest));
        expect(broken).toEqual([]);
      }

      const result = await inChild({ sites: root, s3: place(prefix), deletions });
      expect(result).toMatchObject({ files: files - kills });
      expect(await brokenPromises(destination)).toEqual([]);
      const rows = await inventoryOf(destination);
      const present = [...rows.values()].filter(({ state }) => state === "present");
      for (const { path, sha256: digest } of present) expect(digest).toBe(sha256(await readFile(join(root, path))));
      expect(present.length).toBe(files - kills);
      expect((await exportedFiles(destination)).size).toBeGreaterThanOrEqual(files - kills);
      if (deletions === "mirror") expect((await exportedFiles(destination)).size).toBe(files - kills);
    },
    30_000 * kills,
  );

  it("is refused with a name where the bucket may not be written", async () => {
    const user = await server.addUser();
    vi.stubEnv("AWS_ACCESS_KEY_ID", user.accessKeyId);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", user.secretAccessKey);
    onTestFinished(() => {
      vi.stubEnv("AWS_ACCESS_KEY_ID", server.accessKeyId);
      vi.stubEnv("AWS_SECRET_ACCESS_KEY", server.secretAccessKey);
    });
    const root = await practice();
    const failure: unknown = await exportSites(aSitesContext(root, open(freshPrefix())), {
      exportId: exportId(),
    }).catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(DestinationAccessDeniedError);
    expect(String(failure)).not.toContain("document-");
  });
});

describe("an export of the sites into a directory", () => {
  it("names a full disk, keeps what _SUCCESS promised, and goes on when there is room", async () => {
    await using disk = await smallFileSystem(join(tmpdir(), `small-${randomBytes(4).toString("hex")}`), 4);
    const root = await practice();
    const directory = join(disk.path, "analytics");
    expect(await inChild({ sites: root, directory })).toMatchObject({ uploaded: files });
    const before = await sealOf(fileDestination(directory));
    await writeFile(join(root, "default/documents/1/large.tif"), seededBytes(2, 6_000_000));

    expect(await inChild({ sites: root, directory })).toMatchObject({ failed: "DestinationFullError" });
    expect(await sealOf(fileDestination(directory))).toEqual(before);
    expect(await brokenPromises(fileDestination(directory))).toEqual([]);

    disk.resize(64);
    expect(await inChild({ sites: root, directory })).toMatchObject({ uploaded: 1, unchanged: files });
  });

  it("exports what it can read, lists and counts what it cannot, and records nothing as deleted then", async () => {
    const root = await practice();
    await chmod(root, 0o755);
    const directory = join(await aTree({}), "analytics");
    await chmod(join(directory, ".."), 0o777);
    await inChild({ sites: root, directory, user: 65534 });
    await chmod(join(root, documentOf(3)), 0o000);
    await write(root, 3, 1);
    await chmod(join(root, documentOf(3)), 0o000);
    await chmod(join(root, "default/documents/5"), 0o000);
    await rm(join(root, documentOf(2)));
    await rm(join(root, documentOf(19)));
    await write(root, 8, 1);
    const result = await inChild({ sites: root, directory, user: 65534, deletions: "mirror" });

    expect(result).toMatchObject({
      failed: "SourceUnreadableError",
      message: expect.stringMatching(/^.*\b2 file\(s\)/),
    });
    expect(result?.message).not.toContain("document-");
    const destination = fileDestination(directory);
    const rows = await inventoryOf(destination, incompleteKey);
    expect(rows.get(documentOf(3))).toMatchObject({
      state: "unreadable",
      reason: "EACCES",
      sha256: digestOf(contentOf(3)),
    });
    expect(rows.get("default/documents/5")).toMatchObject({ state: "unreadable", reason: "EACCES" });
    expect([...rows.values()].filter(({ state }) => state === "deleted")).toEqual([]);
    expect((await exportedFiles(destination)).size).toBe(files);
    expect((await exportedFiles(destination)).get(documentOf(8))?.toString()).toBe(contentOf(8, 1));

    await chmod(join(root, documentOf(3)), 0o644);
    await chmod(join(root, "default/documents/5"), 0o755);
    expect(await inChild({ sites: root, directory, user: 65534, deletions: "mirror" })).toMatchObject({
      uploaded: 1,
      unchanged: files - 3,
      deleted: 2,
    });
    expect(await sealOf(destination, incompleteKey)).toBeUndefined();
    expect((await exportedFiles(destination)).size).toBe(files - 2);
  });
});
