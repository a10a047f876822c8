import { randomUUID } from "node:crypto";
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { fillOpenedVersion } from "@openemr-ops/aws/openedVersion";
import { RotationRefusedError } from "@openemr-ops/core/errors";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AwsServer, aSecret, startAws } from "../../support/awsServer.ts";

let aws: AwsServer;
beforeAll(async () => {
  aws = await startAws();
});
afterAll(() => aws?.[Symbol.asyncDispose]());

const pendingIn = async (SecretId: string) => {
  const ask = new GetSecretValueCommand({ SecretId, VersionStage: "AWSPENDING" });
  const { VersionId, SecretString } = await new SecretsManagerClient().send(ask);
  return { id: VersionId, text: SecretString };
};
const copied = (text: string): string => `copy of ${text}`;

describe("the version that Secrets Manager opens for a rotation", () => {
  it("gets a text, once", async () => {
    const arn = await aSecret("first");
    const token = randomUUID();
    await fillOpenedVersion(arn, copied)(token);
    expect(await pendingIn(arn)).toEqual({ id: token, text: "copy of first" });
    await fillOpenedVersion(arn, (text) => `another ${text}`)(token);
    expect(await pendingIn(arn)).toEqual({ id: token, text: "copy of first" });
  });

  it("never takes the place of what a job has written down", async () => {
    const arn = await aSecret("first");
    const { VersionId: plan } = await new SecretsManagerClient().send(
      new PutSecretValueCommand({ SecretId: arn, SecretString: "a plan", VersionStages: ["AWSPENDING"] }),
    );
    await fillOpenedVersion(arn, copied)(randomUUID());
    await fillOpenedVersion(arn, copied)(plan ?? "");
    expect(await pendingIn(arn)).toEqual({ id: plan, text: "a plan" });
  });

  it("is filled where it has none, as Secrets Manager opens it, and an answer that it has one since is no failure", async () => {
    const arn = await aSecret("first");
    const token = randomUUID();
    const real = new SecretsManagerClient();
    const sent: unknown[] = [];
    const opening = {
      send: async (command: { readonly input: object }) => {
        if (command instanceof DescribeSecretCommand) {
          const { VersionIdsToStages = {}, ...answer } = await real.send(command);
          return { ...answer, VersionIdsToStages: { ...VersionIdsToStages, [token]: ["AWSPENDING"] } };
        }
        if (command instanceof PutSecretValueCommand) {
          sent.push(command.input);
          throw new ResourceExistsException({ message: "it exists", $metadata: {} });
        }
        return real.send(command as never);
      },
    } as unknown as Pick<SecretsManagerClient, "send">;
    await fillOpenedVersion(arn, copied, opening)(token);
    expect(sent).toEqual([
      { SecretId: arn, ClientRequestToken: token, SecretString: "copy of first", VersionStages: ["AWSPENDING"] },
    ]);
  });

  it("is refused while the secret has no current text", async () => {
    const refusal = fillOpenedVersion(await aSecret(), copied)(randomUUID());
    await expect(refusal).rejects.toThrow(RotationRefusedError);
    await expect(refusal).rejects.toThrow(/start the workflow RotateDatabaseCredential/);
  });
});
