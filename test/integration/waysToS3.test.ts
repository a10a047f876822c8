import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { resolveConfig } from "@openemr-ops/core/config/resolve";
import { configSchema } from "@openemr-ops/core/config/schema";
import { requireSection, selectInstallation } from "@openemr-ops/core/config/select";
import { runChild } from "@openemr-ops/files/child";
import type { S3Server } from "@openemr-ops/local/servers/storeServer";
import { startVersityGateway } from "@openemr-ops/local/servers/versitygw";
import { openDestination } from "@openemr-ops/task/openDestination";
import { openLocation } from "@openemr-ops/task/openLocation";
import { operations } from "@openemr-ops/task/operations";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { aConfig, anInstallation } from "../support/configuration.ts";
import { resticsHere } from "../support/dumpContext.ts";
import { type NamingProxy, startNamingProxy } from "../support/namingProxy.ts";
import { quickRestic } from "../support/quickRestic.ts";

let directory: string;
let s3: S3Server;
let proxy: NamingProxy;
let port: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "ways-to-s3-"));
  s3 = await startVersityGateway();
  proxy = await startNamingProxy();
  ({ port } = new URL(s3.url));
  const { accessKeyId, secretAccessKey } = s3;
  const credentials = { accessKeyId, secretAccessKey };
  const client = new S3Client({ endpoint: s3.url, region: s3.region, forcePathStyle: true, credentials });
  for (const Bucket of ["clinic-a-dumps", "dumps.clinic-a.example"])
    await client.send(new CreateBucketCommand({ Bucket }));
});
afterAll(async () => {
  await s3?.stop();
  await proxy?.stop();
  await rm(directory, { recursive: true, force: true });
});

const proxyVariables = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"];
beforeEach(() => {
  for (const name of Object.keys(process.env).filter((each) => /^AWS_/.test(each) || proxyVariables.includes(each)))
    vi.stubEnv(name, undefined);
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
  proxy.asked.length = 0;
});
afterEach(() => vi.unstubAllEnvs());

let files = 0;
/** The SDK keeps what it read from a file, so each test has its own. */
const aFile = async (text: string): Promise<string> => {
  const path = join(directory, `config-${files++}`);
  await writeFile(path, text, { mode: 0o600 });
  return path;
};
const keys = () => ({ AWS_ACCESS_KEY_ID: s3.accessKeyId, AWS_SECRET_ACCESS_KEY: s3.secretAccessKey });
const set = (variables: Readonly<Record<string, string>>) => {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
};

/** What fails of the check, as the command runs it. */
const failures = async (restic: string, dumps: Readonly<Record<string, unknown>> = {}) => {
  const destination = "s3://clinic-a-dumps/openemr";
  const changed = anInstallation({ dumps: { ...anInstallation().dumps, destination, ...dumps } });
  const config = resolveConfig(configSchema.parse(aConfig(changed)), directory);
  const findings = await operations.checkDestination({
    config,
    installation: requireSection(config, selectInstallation(config), "dumps"),
    now: () => new Date(),
    environment: { ...process.env, OPENEMR_OPS_RESTIC: restic },
    signal: AbortSignal.timeout(60_000),
    progress: () => {},
    warn: () => {},
  });
  expect(findings.some(({ check }) => /stores a stream/.test(check))).toBe(true);
  return findings.filter(({ ok }) => !ok);
};
const server = () => ({ endpoint: s3.url, region: s3.region, pathStyle: true });

/** Each way in which a program on AWS is given its keys, as files that the variables name. */
const waysToKeys: readonly (readonly [string, () => Promise<Readonly<Record<string, string>>>])[] = [
  ["keys in the environment", async () => keys()],
  [
    "keys in the configuration file alone",
    async () => ({
      AWS_CONFIG_FILE: await aFile(
        `[default]\naws_access_key_id=${s3.accessKeyId}\naws_secret_access_key=${s3.secretAccessKey}\n`,
      ),
    }),
  ],
  [
    "a program in a profile of the configuration file",
    async () => {
      const answer = { Version: 1, AccessKeyId: s3.accessKeyId, SecretAccessKey: s3.secretAccessKey };
      const printed = await aFile(JSON.stringify(answer));
      return {
        AWS_PROFILE: "dumps",
        AWS_CONFIG_FILE: await aFile(`[profile dumps]\ncredential_process = /bin/cat ${printed}\n`),
      };
    },
  ],
];

describe.each(resticsHere())("our client and $name reach the same store", ({ restic: itself }) => {
  let restic: string;
  beforeAll(() => {
    restic = quickRestic(directory, itself);
  });

  it.each(waysToKeys)("with %s", async (_, way) => {
    set({ AWS_SHARED_CREDENTIALS_FILE: join(directory, "none"), AWS_CONFIG_FILE: join(directory, "none") });
    set(await way());

    expect(await failures(restic, server())).toEqual([]);
  });

  it.each(["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])("at the address in %s", async (name) => {
    set({ ...keys(), AWS_REGION: s3.region, [name]: s3.url });

    expect(await failures(restic)).toEqual([]);
  });

  it("in the region that AWS_DEFAULT_REGION names", async () => {
    set({ ...keys(), AWS_DEFAULT_REGION: s3.region, AWS_ENDPOINT_URL: s3.url });

    expect(await failures(restic)).toEqual([]);
  });

  it("at the address and in the region of a profile", async () => {
    const own = `aws_access_key_id = ${s3.accessKeyId}\naws_secret_access_key = ${s3.secretAccessKey}\n`;
    const config = await aFile(`[profile dumps]\n${own}region = ${s3.region}\nendpoint_url = ${s3.url}\n`);
    set({ AWS_PROFILE: "dumps", AWS_CONFIG_FILE: config });

    expect(await failures(restic)).toEqual([]);
  });

  it("in a bucket with dots in its name", async () => {
    set(keys());

    expect(
      await failures(restic, { ...server(), pathStyle: false, destination: "s3://dumps.clinic-a.example/openemr" }),
    ).toEqual([]);
  });

  it.each(["HTTP_PROXY", "http_proxy"])("through the proxy in %s", async (name) => {
    set({ ...keys(), [name]: proxy.url });

    expect(await failures(restic, { ...server(), endpoint: `http://s3.clinic.test:${port}` })).toEqual([]);
    expect(new Set(proxy.asked)).toEqual(new Set([`s3.clinic.test:${port}`]));
  });

  it.each([
    ["us-east-1", "clinic-a-dumps", "clinic-a-dumps.s3.us-east-1.amazonaws.com:443"],
    ["cn-north-1", "clinic-a-dumps", "clinic-a-dumps.s3.cn-north-1.amazonaws.com.cn:443"],
    ["us-iso-east-1", "clinic-a-dumps", "clinic-a-dumps.s3.us-iso-east-1.c2s.ic.gov:443"],
    ["eu-central-1", "dumps.clinic-a.example", "s3.eu-central-1.amazonaws.com:443"],
  ])("at AWS in %s with the bucket %s", async (region, bucket, expected) => {
    set({ ...keys(), https_proxy: proxy.url });
    const address = { kind: "s3", bucket, prefix: "x", region, pathStyle: false } as const;

    const ours = proxy.next();
    await expect((await openDestination(address)).describe("config")).rejects.toThrow();
    expect(await ours).toBe(expected);

    const { repository, options, environment } = await openLocation(address, process.env).access();
    const asked = new AbortController();
    const its = proxy.next().finally(() => asked.abort());
    await runChild(restic, [...options, "--no-cache", "--no-lock", "cat", "config"], {
      environment: { ...environment, RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: "none" },
      signal: asked.signal,
    });
    // restic takes the name that has addresses of IPv4 and IPv6 for each region of AWS that it knows.
    expect((await its).replace("s3.dualstack.", "s3.")).toBe(expected);
  });
});
