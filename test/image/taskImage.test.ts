import { chmod, chown, copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { buildEstate, type Estate } from "@openemr-ops/local/estate/buildEstate";
import { openPodman, type Podman } from "@openemr-ops/local/image/podman";
import { type MariaDb, startMariaDb } from "@openemr-ops/local/servers/mariadb";
import type { S3Server } from "@openemr-ops/local/servers/storeServer";
import { makeTlsMaterial } from "@openemr-ops/local/servers/tlsMaterial";
import { startVersityGateway } from "@openemr-ops/local/servers/versitygw";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { treeImage } from "../support/treeImage.ts";
import { type ContainerPlan, type ContainerRun, runContainer } from "./runContainer.ts";

/** Most that the image may hold, in bytes: a heavier one starts later. */
const largestImage = 375e6;

/** What a restore may do beyond a user without rights: read what is another's, set owners, set modes of what is another's. */
const restoreCapabilities = { CHOWN: 0n, DAC_OVERRIDE: 1n, FOWNER: 3n };

const image = inject("image");
let podman: Podman;
let directory: string;
let server: MariaDb;
let store: S3Server;
let estate: Estate;
/** Everything that nobody may read in what podman shows, by what it is. */
let secrets: Record<string, string>;

const at = (name: string): string => join(directory, name);

/** The configuration as a container sees it: sites, secrets and targets at places of its own. */
const configuration = (trust: { readonly caFile?: string } = { caFile: "/run/secrets/ca.pem" }): string =>
  JSON.stringify({
    installations: [
      {
        id: "clinic-a",
        platform: { kind: "host" },
        database: {
          host: server.host,
          port: server.port,
          name: "openemr",
          user: estate.dumpLogin.user,
          tls: "verify",
          ...trust,
          passwordFile: "/run/secrets/dump",
          restore: { user: server.user, passwordFile: "/run/secrets/restore" },
        },
        sites: { path: "/mnt/sites" },
        dumps: {
          format: "restic",
          destination: "s3://dumps/clinic-a",
          passwordFile: "/run/secrets/repository",
          endpoint: store.url,
          region: store.region,
          pathStyle: true,
          retention: { keepDaily: 7 },
        },
      },
    ],
  });

/** Runs a job as a task definition does: configuration as text, secrets in files, sites that cannot be written. */
const runJob = (job: object, { environment = {}, ...more }: Partial<ContainerPlan> = {}): Promise<ContainerRun> =>
  runContainer(podman, {
    image,
    readable: { "/run/secrets": at("secrets"), "/mnt/sites": estate.sitesPath },
    environment: {
      OPENEMR_OPS_JOB: JSON.stringify(job),
      OPENEMR_OPS_CONFIG_JSON: configuration(),
      AWS_SHARED_CREDENTIALS_FILE: "/run/secrets/credentials",
      AWS_EC2_METADATA_DISABLED: "true",
      ...environment,
    },
    ...more,
  });

const resultOf = ({ code, stdout, stderr }: ContainerRun): Record<string, unknown> => {
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
};

const programsOf = ({ processes }: ContainerRun): readonly string[] =>
  [...new Set(processes.map(({ program }) => program))].sort();

/** Names of the secrets that a text shows. */
const secretsIn = (text: string): readonly string[] =>
  Object.entries(secrets).flatMap(([name, secret]) =>
    [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)].some((form) => text.includes(form))
      ? [name]
      : [],
  );

beforeAll(async () => {
  podman = openPodman();
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-image-"));
  const tls = makeTlsMaterial(at("tls"));
  [server, store] = await Promise.all([
    startMariaDb({ directory: at("server"), extraArguments: tls.serverArguments }),
    startVersityGateway(),
  ]);
  const { host, port, user, password } = server;
  const database = { host, port, user, password, name: "openemr" };
  estate = await buildEstate({ directory: at("estate"), database, seed: "42", size: "small" });
  secrets = {
    dump: estate.dumpLogin.password,
    restore: password,
    repository: "a repository's password of this run",
    "access key": store.secretAccessKey,
  };
  await mkdir(at("secrets"));
  const { dump = "", restore = "", repository = "" } = secrets;
  const credentials = `[default]\naws_access_key_id = ${store.accessKeyId}\naws_secret_access_key = ${store.secretAccessKey}\n`;
  for (const [name, text] of Object.entries({ dump, restore, repository, credentials })) {
    await writeFile(at(`secrets/${name}`), text, { mode: 0o400 });
    await chown(at(`secrets/${name}`), 1000, 1000);
  }
  await copyFile(tls.caFile, at("secrets/ca.pem"));
  await chmod(at("secrets/ca.pem"), 0o444);
  const { accessKeyId, secretAccessKey } = store;
  const bucket = new S3Client({
    endpoint: store.url,
    region: store.region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  await bucket.send(new CreateBucketCommand({ Bucket: "dumps" }));
  bucket.destroy();
});
afterAll(async () => {
  await server?.stop();
  await store?.stop();
  if (directory) await rm(directory, { recursive: true, force: true });
  podman?.[Symbol.dispose]();
});

const shell = (script: string, more: Partial<ContainerPlan> = {}): Promise<ContainerRun> =>
  runContainer(podman, { image, command: ["/bin/sh", "-c", script], ...more });

describe("what the image holds", () => {
  it("stays small enough to start soon", async () => {
    const size = Number(await podman.run(["image", "inspect", "--format", "{{.Size}}", image]));
    process.stderr.write(`image: ${(size / 1e6).toFixed(0)} MB\n`);

    expect(size).toBeGreaterThan(100e6);
    expect(size).toBeLessThan(largestImage);
  });

  it("has the program's packages and none that only building, testing or deploying needs", async () => {
    const { stdout } = await shell(
      "cd /app/node_modules && ls -d * @*/*; for p in npm go python3 curl wget; do command -v $p; done; true",
    );
    const names = stdout.trimEnd().split("\n");

    for (const needed of ["zod", "mysql2", "@aws-sdk/client-s3", "@google-cloud/storage", "@openemr-ops/task"])
      expect(names).toContain(needed);
    for (const foreign of ["sst", "aws-cdk-lib", "aws-cdk", "vitest", "typescript", "@biomejs/biome", "knip", "node"])
      expect(names).not.toContain(foreign);
    for (const room of ["cli", "local", "stacks", "functions"]) expect(names).not.toContain(`@openemr-ops/${room}`);
    expect(names.filter((name) => name.startsWith("/"))).toEqual([]);
  });

  it("has programs of the versions that the tests run with", async () => {
    const { stdout } = await shell(
      "node --version; restic version; mariadb-dump --version; mariadb --version; tar --version | head -1",
    );

    expect(stdout).toMatch(
      /^v24\.\d+\.\d+\nrestic 0\.(19|[2-9]\d)\..*\nmariadb-dump.* 10\.11\..*\nmariadb.* 10\.11\..*\ntar \(GNU tar\) 1\./,
    );
  });

  it("trusts Amazon's authorities for RDS and Aurora, most of them good for years, in every program", async () => {
    const script = `
      const { X509Certificate } = require("node:crypto");
      const all = require("node:tls").getCACertificates("extra").map((one) => new X509Certificate(one));
      const years = all.map(({ validTo }) => (Date.parse(validTo) - Date.now()) / 31557600000);
      console.log(JSON.stringify({ all: all.length, lasting: years.filter((left) => left > 5).length }));`;
    const node = await runContainer(podman, { image, command: ["/usr/local/bin/node", "-e", script] });
    const others = await shell(
      "cd /usr/local/share/ca-certificates/amazon-rds; for f in *; do openssl verify -partial_chain -no_check_time $f; done | grep -c OK",
    );

    const { all, lasting } = JSON.parse(node.stdout);
    expect(all).toBeGreaterThan(90);
    expect(lasting).toBeGreaterThan(all / 2);
    expect(Number(others.stdout)).toBe(all);
  });

  it("has no program that gives a user another's rights, and nothing of the program that its user may change", async () => {
    const { stdout } = await shell(
      "find / -xdev -type f -perm /6000; find / -xdev -not -path '/proc/*' -not -type l -writable -not -path /tmp -not -path '/dev/*' -print",
      { readable: {} },
    );

    expect(stdout.split("\n").filter(Boolean)).toEqual([]);
  });

  it("carries labels and no secret in its history", async () => {
    const inspected = await podman.run(["image", "inspect", image]);
    const history = await podman.run(["history", "--no-trunc", image]);

    expect(JSON.parse(inspected)[0].Config).toMatchObject({
      User: "1000:1000",
      WorkingDir: "/tmp",
      Labels: {
        "org.opencontainers.image.title": "OpenEMR Ops task",
        "org.opencontainers.image.licenses": "Apache-2.0",
      },
    });
    expect(inspected + history).not.toMatch(/password|secret|token|BEGIN [A-Z ]*PRIVATE KEY/i);
  });
});

describe("a dump, a restore and a drill by the image", () => {
  it("writes nowhere but to /tmp, not even as root", async () => {
    const { stdout, stderr, code } = await shell(
      "echo a > /tmp/a && cat /tmp/a; for d in /app /etc /usr /var /run; do touch $d/a; done",
      {
        user: "0",
      },
    );

    expect(stdout).toBe("a\n");
    expect(stderr.match(/Read-only file system/g)).toHaveLength(5);
    expect(code).toBe(1);
  });

  it("dumps the hospital as a user without any right, on a root file system that cannot be written", async () => {
    const run = await runJob({ kind: "dump" });

    expect(resultOf(run)).toMatchObject({ complete: true });
    expect(programsOf(run)).toEqual(
      expect.arrayContaining(["/usr/local/bin/node", "/usr/local/bin/restic", "/usr/bin/mariadb-dump"]),
    );
    const one = { uid: 1000, capabilities: 0n, noNewPrivileges: true, rootReadOnly: true };
    for (const process of run.processes) expect(process).toMatchObject(one);
    expect(secretsIn(run.inspected + run.stdout + run.stderr)).toEqual([]);
    process.stderr.write(`image: dump ${run.seconds} s\n`);
  });

  it("verifies the database's certificate by what the image trusts where no caFile is named, and refuses another's", async () => {
    const untrusted = { OPENEMR_OPS_CONFIG_JSON: configuration({}) };
    const trusted = { ...untrusted, NODE_EXTRA_CA_CERTS: "/run/secrets/ca.pem", SSL_CERT_FILE: "/run/secrets/ca.pem" };
    const accepted = await runJob({ kind: "dump" }, { environment: trusted });
    const refused = await runJob({ kind: "dump" }, { environment: untrusted });

    expect(resultOf(accepted)).toMatchObject({ complete: true });
    expect([refused.code, JSON.parse(refused.stdout)]).toMatchObject([
      4,
      { error: { name: "DatabaseAccessDeniedError", message: expect.stringContaining("certificate") } },
    ]);
  });

  it("restores into a new schema and directory, owners and modes as they were, as root with three rights", async () => {
    await mkdir(at("restored"));
    const job = { kind: "restore", intoDatabase: "restored", intoSites: "/mnt/restored/sites", dump: "latest" };
    const run = await runJob(job, {
      user: "0",
      capabilities: Object.keys(restoreCapabilities),
      writable: { "/mnt/restored": at("restored") },
    });

    const rows = Object.values(estate.rows).reduce((sum, count) => sum + count, 0);
    expect(resultOf(run)).toMatchObject({ verdict: "passed", keyProof: "proven", rows, differences: [] });
    const { "": _root, ...restored } = treeImage(at("restored/sites"));
    const source = treeImage(estate.sitesPath);
    expect(Object.keys(restored).length).toBeGreaterThan(estate.size.documents);
    for (const [path, entry] of Object.entries(restored)) expect(entry, path).toEqual(source[path]);
    const rights = Object.values(restoreCapabilities).reduce((sum, bit) => sum | (1n << bit), 0n);
    for (const { capabilities, rootReadOnly } of run.processes) {
      expect(capabilities & ~rights).toBe(0n);
      expect(rootReadOnly).toBe(true);
    }
    expect(secretsIn(run.inspected + run.stdout + run.stderr)).toEqual([]);
    process.stderr.write(`image: restore ${run.seconds} s\n`);
  });

  it("drills as the same user without rights, and leaves no schema behind", async () => {
    const schemas = async () => (await server.query("SHOW DATABASES")).map((row) => Object.values(row)[0]);
    const before = await schemas();
    const run = await runJob({ kind: "drill" });

    expect(resultOf(run)).toMatchObject({ verdict: "passed" });
    for (const { uid, capabilities } of run.processes) expect([uid, capabilities]).toEqual([1000, 0n]);
    expect(await schemas()).toEqual(before);
    expect(secretsIn(run.inspected + run.stdout + run.stderr)).toEqual([]);
    process.stderr.write(`image: drill ${run.seconds} s\n`);
  });

  it("drills on a server of its own, without the live one's address or any of its secrets", async () => {
    const { installations } = JSON.parse(configuration());
    const [{ database, dumps, ...rest }] = installations;
    const away = { ...database, host: "192.0.2.1", passwordFile: "/run/secrets/repository" };
    const own = { ...rest, database: { ...away, restore: undefined }, dumps: { ...dumps, drill: { database: "own" } } };
    const run = await runJob(
      { kind: "drill" },
      { environment: { OPENEMR_OPS_CONFIG_JSON: JSON.stringify({ installations: [own] }) } },
    );

    expect(resultOf(run)).toMatchObject({ verdict: "passed" });
    expect(programsOf(run)).toContain("/usr/sbin/mariadbd");
    for (const { uid, capabilities } of run.processes) expect([uid, capabilities]).toEqual([1000, 0n]);
    process.stderr.write(`image: drill on its own server ${run.seconds} s\n`);
  });

  it("stops in order when the service asks it to, and the next dump is none the worse", async () => {
    const stopped = await runJob({ kind: "dump" }, { stopAt: '"level":"info"' });

    expect(JSON.parse(stopped.stdout)).toMatchObject({ error: { name: "JobAbortedError" } });
    expect(stopped.code).toBe(4);
    expect(resultOf(await runJob({ kind: "dump" }))).toMatchObject({ complete: true });
  });

  it("ends with the status and the named error of what is wrong", async () => {
    const asked = await runJob({ kind: "dumb" });
    const refused = await runJob({
      kind: "restore",
      dump: "latest",
      intoDatabase: "restored",
      intoSites: "/tmp/sites",
    });

    expect(JSON.parse(asked.stdout), asked.stderr).toMatchObject({ error: { name: "InvalidInputError" } });
    expect(JSON.parse(refused.stdout), refused.stdout).toMatchObject({ error: { name: "TargetNotEmptyError" } });
    expect([asked.code, refused.code]).toEqual([2, 3]);
  });
});
