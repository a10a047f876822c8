import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { credentialVariables, s3Access } from "@openemr-ops/aws/s3Access";
import { DestinationAccessDeniedError, InvalidInputError } from "@openemr-ops/core/errors";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

/** Gives keys to whoever asks: as a container's role does, and as AWS's service for other roles does. */
const issuer = createServer((asked, answer) => {
  const expires = new Date(Date.now() + 3600 * 1000).toISOString();
  const assumed = `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>role</AccessKeyId>
    <SecretAccessKey>role-secret</SecretAccessKey><SessionToken>role-token</SessionToken>
    <Expiration>${expires}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`;
  const contained = { AccessKeyId: "box", SecretAccessKey: "box-secret", Token: "box-token", Expiration: expires };
  asked.resume();
  if (asked.method === "POST") answer.setHeader("content-type", "text/xml").end(assumed);
  else answer.setHeader("content-type", "application/json").end(JSON.stringify(contained));
});
let directory: string;
let issuerUrl: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "s3-access-"));
  await new Promise<void>((resolve) => issuer.listen(0, "127.0.0.1", resolve));
  issuerUrl = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;
});
afterAll(async () => {
  issuer.closeAllConnections();
  await new Promise((resolve) => issuer.close(resolve));
  await rm(directory, { recursive: true });
});
beforeEach(() => {
  for (const name of Object.keys(process.env).filter((each) => /^AWS_/.test(each))) vi.stubEnv(name, undefined);
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
  vi.stubEnv("AWS_CONFIG_FILE", join(directory, "none"));
  vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", join(directory, "none"));
});
afterEach(() => vi.unstubAllEnvs());

let files = 0;
const aFile = async (text: string): Promise<string> => {
  const path = join(directory, `file-${files++}`);
  await writeFile(path, text);
  return path;
};
const access = (
  variables: Readonly<Record<string, string>>,
  settings: Partial<Parameters<typeof s3Access>[0]> = { region: "eu-central-1" },
) => {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  return s3Access({ bucket: "clinic", pathStyle: false, ...settings }, { ...process.env });
};
const keys = { AWS_ACCESS_KEY_ID: "own", AWS_SECRET_ACCESS_KEY: "own-secret" };
const noFiles = { AWS_SHARED_CREDENTIALS_FILE: "/dev/null", MINIO_SHARED_CREDENTIALS_FILE: "/dev/null" };
const ownProfile = "aws_access_key_id = own\naws_secret_access_key = own-secret\n";

type Way = {
  readonly way: string;
  readonly given: () => Promise<Readonly<Record<string, string>>>;
  readonly gets: () => Readonly<Record<string, string>>;
};

describe("what restic gets to sign with", () => {
  it.each<Way>([
    { way: "keys in the environment", given: async () => keys, gets: () => keys },
    {
      way: "keys with a token in the environment",
      given: async () => ({ ...keys, AWS_SESSION_TOKEN: "own-token" }),
      gets: () => ({ ...keys, AWS_SESSION_TOKEN: "own-token" }),
    },
    {
      way: "keys in the credentials file",
      given: async () => ({ AWS_SHARED_CREDENTIALS_FILE: await aFile(`[default]\n${ownProfile}`) }),
      gets: () => keys,
    },
    {
      way: "keys in a profile of the configuration file",
      given: async () => ({ AWS_CONFIG_FILE: await aFile(`[profile dumps]\n${ownProfile}`), AWS_PROFILE: "dumps" }),
      gets: () => keys,
    },
    {
      way: "a program in the configuration file",
      given: async () => {
        const answer = { Version: 1, AccessKeyId: "made", SecretAccessKey: "made-secret", SessionToken: "made-token" };
        const printed = await aFile(JSON.stringify(answer));
        return { AWS_CONFIG_FILE: await aFile(`[default]\ncredential_process = /bin/cat ${printed}\n`) };
      },
      gets: () => ({
        AWS_ACCESS_KEY_ID: "made",
        AWS_SECRET_ACCESS_KEY: "made-secret",
        AWS_SESSION_TOKEN: "made-token",
      }),
    },
    {
      way: "another role, assumed with the keys of a profile",
      given: async () => ({
        AWS_ENDPOINT_URL_STS: issuerUrl,
        AWS_PROFILE: "dumps",
        AWS_CONFIG_FILE: await aFile(
          `[profile base]\n${ownProfile}\n[profile dumps]\nrole_arn = arn:aws:iam::111122223333:role/dumps\nsource_profile = base\n`,
        ),
      }),
      gets: () => ({
        AWS_ACCESS_KEY_ID: "role",
        AWS_SECRET_ACCESS_KEY: "role-secret",
        AWS_SESSION_TOKEN: "role-token",
      }),
    },
    {
      way: "a container's role, which restic asks for itself",
      given: async () => ({ AWS_CONTAINER_CREDENTIALS_FULL_URI: issuerUrl, AWS_CONTAINER_AUTHORIZATION_TOKEN: "ask" }),
      gets: () => ({
        ...noFiles,
        AWS_CONTAINER_CREDENTIALS_FULL_URI: issuerUrl,
        AWS_CONTAINER_AUTHORIZATION_TOKEN: "ask",
      }),
    },
    {
      way: "a container's role with a token in a file, which not every restic can ask for",
      given: async () => ({
        AWS_CONTAINER_CREDENTIALS_FULL_URI: issuerUrl,
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: await aFile("ask"),
      }),
      gets: () => ({ AWS_ACCESS_KEY_ID: "box", AWS_SECRET_ACCESS_KEY: "box-secret", AWS_SESSION_TOKEN: "box-token" }),
    },
  ])("with $way", async ({ given, gets }) => {
    expect((await access(await given())()).credentials).toEqual(gets());
  });

  const found = (...sources: readonly string[]) => ({
    accessKeyId: "own",
    secretAccessKey: "own-secret",
    $source: Object.fromEntries(sources.map((name) => [name, "?"])),
  });
  const web = { AWS_WEB_IDENTITY_TOKEN_FILE: "/token", AWS_ROLE_ARN: "arn:aws:iam::111122223333:role/dumps" };
  const webSources = ["CREDENTIALS_ENV_VARS_STS_WEB_ID_TOKEN", "CREDENTIALS_STS_ASSUME_ROLE_WEB_ID"];
  it.each([
    [
      "the role of an ECS task",
      found("CREDENTIALS_HTTP"),
      { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/v2", AWS_PROFILE: "x" },
      { ...noFiles, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/v2" },
    ],
    ["the role of a machine", found("CREDENTIALS_IMDS"), {}, noFiles],
    [
      "the role of a machine behind an address of one's own",
      found("CREDENTIALS_IMDS"),
      { AWS_EC2_METADATA_SERVICE_ENDPOINT: "http://10.0.0.1" },
      keys,
    ],
    ["a web identity", found(...webSources), web, { ...noFiles, ...web, AWS_REGION: "eu-central-1" }],
    [
      "a web identity at an address of one's own",
      found(...webSources),
      { ...web, AWS_ENDPOINT_URL_STS: "http://sts.test" },
      keys,
    ],
    [
      "another role, assumed with the role of a machine",
      found("CREDENTIALS_IMDS", "CREDENTIALS_STS_ASSUME_ROLE"),
      {},
      keys,
    ],
    [
      "a source on another machine",
      found("CREDENTIALS_HTTP"),
      { AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://169.254.170.23/v1" },
      keys,
    ],
    ["a source that the SDK does not name", found(), {}, keys],
  ])("with %s", (_, source, environment, expected) => {
    expect(credentialVariables(source, environment, "eu-central-1")).toEqual(expected);
  });

  it("is new at each start where keys end soon", async () => {
    const soon = () => new Date(Date.now() + 20 * 60 * 1000).toISOString();
    const answer = (id: string) =>
      JSON.stringify({ Version: 1, AccessKeyId: id, SecretAccessKey: "s", Expiration: soon() });
    const printed = await aFile(answer("first"));
    const find = access({ AWS_CONFIG_FILE: await aFile(`[default]\ncredential_process = /bin/cat ${printed}\n`) });
    expect((await find()).credentials.AWS_ACCESS_KEY_ID).toBe("first");

    await writeFile(printed, answer("second"));

    expect((await find()).credentials.AWS_ACCESS_KEY_ID).toBe("second");
  });

  it("is refused as our own client is where there are no keys", async () => {
    await expect(access({})()).rejects.toThrow(DestinationAccessDeniedError);
  });
});

describe("where restic looks for the bucket", () => {
  const amazon = (region: string, domain = "amazonaws.com") => `https://s3.${region}.${domain}`;
  it.each([
    ["us-east-1", {}, { region: "us-east-1" }, amazon("us-east-1"), false],
    ["cn-north-1", {}, { region: "cn-north-1" }, amazon("cn-north-1", "amazonaws.com.cn"), false],
    ["us-iso-east-1", {}, { region: "us-iso-east-1" }, amazon("us-iso-east-1", "c2s.ic.gov"), false],
    ["AWS_REGION", { AWS_REGION: "eu-west-1", AWS_DEFAULT_REGION: "eu-west-2" }, {}, amazon("eu-west-1"), false],
    ["AWS_DEFAULT_REGION", { AWS_DEFAULT_REGION: "eu-west-2" }, {}, amazon("eu-west-2"), false],
    ["a name with dots", {}, { region: "us-east-1", bucket: "dumps.clinic" }, amazon("us-east-1"), true],
    ["path style", {}, { region: "us-east-1", pathStyle: true }, amazon("us-east-1"), true],
    [
      "FIPS",
      { AWS_USE_FIPS_ENDPOINT: "true" },
      { region: "us-east-1" },
      "https://s3-fips.us-east-1.amazonaws.com",
      false,
    ],
    [
      "an endpoint",
      { AWS_ENDPOINT_URL: "http://other.test" },
      { region: "us-east-1", endpoint: "https://s3.test:9000", pathStyle: true },
      "https://s3.test:9000",
      true,
    ],
    ["a name in an endpoint", {}, { region: "x", endpoint: "https://s3.test:9000" }, "https://s3.test:9000", false],
    [
      "a server named like the bucket",
      {},
      { region: "x", endpoint: "https://clinic.vpce.test", pathStyle: true },
      "https://clinic.vpce.test",
      true,
    ],
    ["AWS_ENDPOINT_URL", { AWS_ENDPOINT_URL: "http://127.0.0.1:9000" }, { region: "x" }, "http://127.0.0.1:9000", true],
  ])("with %s", async (_, variables, settings, server, pathStyle) => {
    expect(await access({ ...keys, ...variables }, settings)()).toMatchObject({ server, pathStyle });
  });

  it("is asked for by the name of the variable where no region is named", async () => {
    await expect(access(keys, {})()).rejects.toThrow(InvalidInputError);
  });

  it("is refused where the server's address has a path, which restic cannot have", async () => {
    await expect(access({ ...keys, AWS_ENDPOINT_URL: "http://s3.test/inner" })()).rejects.toThrow(/AWS_ENDPOINT_URL/);
  });
});
