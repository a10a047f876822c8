import {
  GetSecretValueCommand,
  type GetSecretValueCommandOutput,
  InvalidRequestException,
  ResourceNotFoundException,
  SecretsManagerClient,
  SecretsManagerServiceException,
} from "@aws-sdk/client-secrets-manager";
import { awsSecret } from "@openemr-ops/aws/awsSecret";
import { SecretStoreUnavailableError, SecretUnreadableError } from "@openemr-ops/core/errors";
import { describe, expect, it } from "vitest";

const arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:openemr/db-AbCdEf";
const canary = "canary-7d1e";

/** A client of the SDK whose calls end in its own pipeline, before any network. */
const clientThat = (answer: () => Partial<GetSecretValueCommandOutput>, seen: unknown[] = []) => {
  return (region: string | undefined) => {
    const client = new SecretsManagerClient({ region: region ?? "none" });
    client.middlewareStack.add(
      () => async (args) => {
        seen.push([region, args.input]);
        return { response: {}, output: { $metadata: {}, ...answer() } };
      },
      { step: "initialize" },
    );
    return client;
  };
};

const serviceError = (name: string) =>
  new SecretsManagerServiceException({ name, message: canary, $fault: "client", $metadata: {} });

describe("a secret of AWS", () => {
  it("is asked for in the region of its ARN", async () => {
    const seen: unknown[] = [];
    expect(await awsSecret(clientThat(() => ({ SecretString: "s3cret" }), seen))(arn)).toBe("s3cret");
    expect(seen).toEqual([["eu-central-1", new GetSecretValueCommand({ SecretId: arn }).input]]);
  });

  it("is read whole where a document is expected, or one field of it", async () => {
    const text = '{"accessKeyId":"a","secretAccessKey":"b","of-google":"{}"}';
    const read = awsSecret(clientThat(() => ({ SecretString: text })));
    expect(await read(arn, undefined, true)).toBe(text);
    expect(await read(arn, "of-google", true)).toBe("{}");
  });

  it.each([
    ["a text", "s3cret", undefined, "s3cret"],
    ["digits", "123456", undefined, "123456"],
    ["a JSON list", "[1]", undefined, "[1]"],
    ["the password of an object", '{"username":"u","password":"s3cret"}', undefined, "s3cret"],
    ["another field of an object", '{"password":"a","reader":"b"}', "reader", "b"],
  ])("may be %s", async (_, text, key, expected) => {
    expect(await awsSecret(clientThat(() => ({ SecretString: text })))(arn, key)).toBe(expected);
  });

  it.each<[string, Partial<GetSecretValueCommandOutput>, string | undefined, string]>([
    ["has no password", { SecretString: `{"user":"${canary}"}` }, undefined, 'has no text in the field "password"'],
    [
      "has a number for a password",
      { SecretString: '{"password":1}' },
      undefined,
      'has no text in the field "password"',
    ],
    [
      "lacks the named field",
      { SecretString: `{"password":"${canary}"}` },
      "reader",
      'has no text in the field "reader"',
    ],
    ["names a field of every object", { SecretString: "{}" }, "constructor", 'has no text in the field "constructor"'],
    ["is no object though a field is named", { SecretString: canary }, "reader", 'remove "#reader" from'],
    ["is bytes", { SecretBinary: new Uint8Array([1]) }, undefined, "contains bytes, not text"],
  ])("is refused, never shown, when it %s", async (_, answer, key, says) => {
    const failure: unknown = await awsSecret(clientThat(() => answer))(arn, key).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SecretUnreadableError);
    expect(String(failure)).toContain(says);
    expect(String(failure)).not.toContain(canary);
  });

  it.each([
    ["absent", new ResourceNotFoundException({ message: canary, $metadata: {} }), SecretUnreadableError],
    ["marked for deletion", new InvalidRequestException({ message: canary, $metadata: {} }), SecretUnreadableError],
    ["denied", serviceError("AccessDeniedException"), SecretUnreadableError],
    ["asked for with an expired token", serviceError("ExpiredTokenException"), SecretUnreadableError],
    ["throttled", serviceError("ThrottlingException"), SecretStoreUnavailableError],
    ["unreachable", Object.assign(new Error(canary), { code: "ECONNREFUSED" }), SecretStoreUnavailableError],
  ])("fails under our name when it is %s", async (_, cause, expected) => {
    const client = clientThat(() => {
      throw cause;
    });
    const failure: unknown = await awsSecret(client)(arn).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(expected);
    expect(failure).toHaveProperty("cause", cause);
    expect(String(failure)).not.toContain(canary);
  });
});
