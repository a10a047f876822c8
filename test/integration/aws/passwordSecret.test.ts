import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { awsSecret } from "@openemr-ops/aws/awsSecret";
import { passwordSecret } from "@openemr-ops/aws/passwordSecret";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AwsServer, aSecret, startAws } from "../../support/awsServer.ts";

let aws: AwsServer;
beforeAll(async () => {
  aws = await startAws();
});
afterAll(() => aws?.[Symbol.asyncDispose]());

const opened = (arn: string) => passwordSecret({ kind: "aws", arn, field: "installations[0].database.password" });
const labelsOf = async (arn: string, id: string) =>
  (await new SecretsManagerClient().send(new GetSecretValueCommand({ SecretId: arn, VersionId: id }))).VersionStages;

describe("a database user's password in Secrets Manager", () => {
  it("is written down in an empty secret, and is current once that is asked for", async () => {
    const arn = await aSecret();
    expect(await opened(arn).versions()).toEqual([]);

    const written = await opened(arn).writePending("first-password");
    expect(await opened(arn).versions()).toEqual([written]);

    await opened(arn).makeCurrent(written);
    await opened(arn).makeCurrent(written);
    expect(await opened(arn).versions()).toEqual([{ ...written, current: true }]);
    expect(await awsSecret()(arn)).toBe("first-password");
  });

  it("is pending, which no job reads, until it becomes current; the one before is kept", async () => {
    const arn = await aSecret("old-password\n");
    const [old] = await opened(arn).versions();
    expect(old).toMatchObject({ password: "old-password", current: true });

    const written = await opened(arn).writePending("new-password");
    expect(written.current).toBe(false);
    expect(await opened(arn).versions()).toEqual([old, written]);
    expect(await awsSecret()(arn)).toBe("old-password\n");
    await opened(arn).makeCurrent(written);
    expect(await opened(arn).versions()).toEqual([{ ...written, current: true }]);
    expect(await labelsOf(arn, old?.id ?? "")).toEqual(["AWSPREVIOUS"]);
  });

  it("is said to have no value yet, not to be absent, as long as it is empty", async () => {
    const arn = await aSecret();
    await expect(awsSecret()(arn)).rejects.toThrow(/has no value yet/);
    await expect(awsSecret()(`${arn}x`)).rejects.toThrow(/does not exist/);
    await expect(opened(`${arn}x`).versions()).rejects.toThrow(/does not exist/);
  });

  it("is not written into one field of a secret", async () => {
    const arn = await aSecret('{"password":"a"}');
    const one = passwordSecret({ kind: "aws", arn, key: "password", field: "database.password" });
    expect(await one.versions()).toMatchObject([{ password: "a", current: true }]);
    await expect(one.writePending("b")).rejects.toThrow(/database\.password: names one field.*remove "#password"/);
  });
});
