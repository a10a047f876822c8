import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadConfig } from "@openemr-ops/core/config/load";
import { readSecret } from "@openemr-ops/core/config/secrets";
import { googleCredentialsIn, storeKeysIn } from "@openemr-ops/core/config/storeSecret";
import { parseStoreCredentials } from "@openemr-ops/core/storeCredentials";
import { describe, expect, it } from "vitest";
import { aConfig, aConfigDirectory, anInstallation } from "../../support/configuration.ts";

const keys = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "canary-secret-key" };
const serviceAccount = {
  type: "service_account",
  client_email: "dumps@clinic.iam.gserviceaccount.com",
  private_key: "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n",
  token_uri: "https://oauth2.googleapis.com/token",
};
const federation = {
  type: "external_account",
  audience: "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/aws/providers/aws",
  subject_token_type: "urn:ietf:params:aws:token-type:aws4_request",
  token_url: "https://sts.googleapis.com/v1/token",
  credential_source: { environment_id: "aws1" },
};

describe("what a store's secret contains", () => {
  it.each([
    ["keys of the S3 API", keys, "s3"],
    ["a service account's key", serviceAccount, "gcs"],
    ["where an identity of AWS is exchanged", federation, "gcs"],
  ])("is %s", (_, value, kind) => {
    expect(parseStoreCredentials(JSON.stringify(value))).toMatchObject({ credentials: { kind } });
  });

  it.each<[string, string]>([
    ["no JSON", "canary-secret-key"],
    ["a list", '["canary-secret-key"]'],
    ["a key without its secret", '{"accessKeyId":"canary-secret-key"}'],
    ["an empty key", '{"accessKeyId":"","secretAccessKey":"canary-secret-key"}'],
    ["a user's own login", JSON.stringify({ type: "authorized_user", refresh_token: "canary-secret-key" })],
    ["an exchange elsewhere", JSON.stringify({ ...federation, token_url: "https://sts.example.org/v1/token" })],
    [
      "one that begins as Google's",
      JSON.stringify({ ...federation, token_url: "https://sts.googleapis.com.example/" }),
    ],
    ["a key's exchange elsewhere", JSON.stringify({ ...serviceAccount, token_uri: "http://oauth2.googleapis.com/" })],
  ])("is refused when it is %s, and never shown", (_, text) => {
    const parsed = parseStoreCredentials(text);
    expect(parsed).toHaveProperty("problem", expect.stringMatching(/expected JSON: \{ "accessKeyId"/));
    expect(JSON.stringify(parsed)).not.toContain("canary");
  });

  it("has to fit the destination's scheme", () => {
    expect(storeKeysIn("dumps.credentials", JSON.stringify(keys))).toEqual(keys);
    expect(() => storeKeysIn("dumps.credentials", JSON.stringify(federation))).toThrow(/of Google.*is s3:/);
    expect(() => googleCredentialsIn("dumps.credentials", JSON.stringify(keys))).toThrow(/S3 API.*is gs:/);
  });
});

describe("a store's secret in a file", () => {
  const load = async (text: string, mode = 0o600) => {
    await using directory = await aConfigDirectory();
    await writeFile(join(directory.path, "store.json"), text);
    await chmod(join(directory.path, "store.json"), mode);
    const dumps = { ...anInstallation().dumps, destination: "gs://clinic-a-dumps", credentials: "store.json" };
    const config = await loadConfig(await directory.write(aConfig(anInstallation({ dumps }))));
    const reference = config.installations[0]?.dumps?.credentials;
    const read = reference && (await readSecret({ environment: {} })(reference));
    return { read, warnings: config.warnings.map(({ message }) => message) };
  };

  it("is read whole, of however many lines", async () => {
    const text = JSON.stringify(serviceAccount, null, 2);
    expect(await load(`${text}\n`)).toEqual({ read: `${text}\n`, warnings: [] });
  });

  it("is looked at when the configuration is loaded", async () => {
    await expect(load("not JSON\n")).rejects.toThrow(/dumps\.credentials: the secret is no JSON object/);
    await expect(load(JSON.stringify(keys), 0o666)).rejects.toThrow(
      /dumps\.credentials: the secret file can be changed/,
    );
    expect((await load(JSON.stringify(keys), 0o644)).warnings).toEqual([
      "the secret file is readable by others; chmod 600 it",
    ]);
  });
});
