import {
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { secretDocument } from "@openemr-ops/aws/secretDocument";
import { SecretStoreUnavailableError, SecretUnreadableError } from "@openemr-ops/core/errors";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AwsServer, aSecret, startAws } from "../../support/awsServer.ts";

let aws: AwsServer;
beforeAll(async () => {
  aws = await startAws();
});
afterAll(() => aws?.[Symbol.asyncDispose]());

const field = "installations[0].rotations.database.slots";
const patience = { retries: 4, minTimeout: 0 };
const opened = (arn: string, client?: Pick<SecretsManagerClient, "send">) =>
  secretDocument({ arn, field }, { patience, ...(client ? { client } : {}) });
const labelsIn = async (arn: string) =>
  (await new SecretsManagerClient().send(new DescribeSecretCommand({ SecretId: arn }))).VersionIdsToStages;

/** Secrets Manager as it is where a version is not yet seen everywhere: the first looks do not find it. */
const late = (looks: number, hidden: "list" | "value") => {
  const client = new SecretsManagerClient();
  let left = 0;
  return {
    send: async (command: { readonly input: object }) => {
      if (command instanceof PutSecretValueCommand) left = looks;
      const asksForPending = "VersionStage" in command.input && command.input.VersionStage === "AWSPENDING";
      if (hidden === "value" && asksForPending && left-- > 0)
        // The version exists, and this stage of it does not yet.
        return client.send(new GetSecretValueCommand({ ...command.input, VersionStage: "LATER" } as never));
      const answer = await client.send(command as never);
      if (hidden === "list" && command instanceof DescribeSecretCommand && left-- > 0) {
        const { VersionIdsToStages = {} } = answer as { VersionIdsToStages?: Record<string, string[]> };
        const seen = Object.entries(VersionIdsToStages).filter(([, stages]) => !stages.includes("AWSPENDING"));
        return { ...(answer as object), VersionIdsToStages: Object.fromEntries(seen) };
      }
      return answer;
    },
  } as unknown as Pick<SecretsManagerClient, "send">;
};

describe("a secret of several fields in Secrets Manager", () => {
  it("is written down first, and takes the place of the current text in one step", async () => {
    const arn = await aSecret('{"active_slot":"A"}');
    const secret = opened(arn);
    const [old] = await secret.versions();
    expect(old).toMatchObject({ text: '{"active_slot":"A"}', current: true });

    const written = await secret.writePending('{"active_slot":"B"}\n');
    expect(written).toMatchObject({ text: '{"active_slot":"B"}\n', current: false });
    expect(await secret.versions()).toEqual([old, written]);

    await secret.makeCurrent(written);
    await secret.makeCurrent(written);
    expect(await secret.versions()).toEqual([{ ...written, current: true }]);
    expect(await labelsIn(arn)).toEqual({ [old?.id ?? ""]: ["AWSPREVIOUS"], [written.id]: ["AWSCURRENT"] });
  });

  it("keeps one pending text: a second one takes the place of the first", async () => {
    const secret = opened(await aSecret("one"));
    await secret.writePending("two");
    const third = await secret.writePending("three");
    expect((await secret.versions()).map(({ text }) => text)).toEqual(["one", "three"]);
    await secret.makeCurrent(third);
    expect(await secret.versions()).toEqual([{ ...third, current: true }]);
  });

  it("may be empty, and may make its first text current at once", async () => {
    const secret = opened(await aSecret());
    expect(await secret.versions()).toEqual([]);
    const written = await secret.writePending("first");
    expect(await secret.versions()).toEqual([written]);
    await secret.makeCurrent(written);
    expect(await secret.versions()).toEqual([{ ...written, current: true }]);
  });

  it("has nothing pending where both labels are on one version, as Secrets Manager leaves them", async () => {
    const arn = await aSecret("one");
    const client = new SecretsManagerClient();
    await client.send(
      new PutSecretValueCommand({ SecretId: arn, SecretString: "two", VersionStages: ["AWSCURRENT", "AWSPENDING"] }),
    );
    const versions = await opened(arn).versions();
    expect(versions).toMatchObject([{ text: "two", current: true }]);
    for (const version of versions) await opened(arn).makeCurrent(version);
    expect(Object.values((await labelsIn(arn)) ?? {})).toContainEqual(["AWSCURRENT"]);
  });

  it.each(["list", "value"] as const)("waits for a text that the %s does not show at once", async (hidden) => {
    const arn = await aSecret("one");
    const written = await opened(arn, late(3, hidden)).writePending("two");
    expect(written).toMatchObject({ text: "two", current: false });
  });

  it.each(["list", "value"] as const)("is not taken as written where the %s never shows it", async (hidden) => {
    const arn = await aSecret("one");
    const refused = opened(arn, late(100, hidden)).writePending("two");
    await expect(refused).rejects.toThrow(SecretStoreUnavailableError);
    await expect(refused).rejects.toThrow(/yet: try again/);
  });

  it("is refused by name where it is scheduled for deletion, is absent, or is one field", async () => {
    const arn = await aSecret("one");
    await new SecretsManagerClient().send(new DeleteSecretCommand({ SecretId: arn }));
    for (const refused of [opened(arn).versions(), opened(arn).writePending("two")]) {
      await expect(refused).rejects.toThrow(SecretUnreadableError);
    }
    await expect(opened(arn).versions()).rejects.toThrow(/scheduled for deletion; restore it/);
    await expect(opened(`${arn}x`).versions()).rejects.toThrow(/does not exist/);
    await expect(secretDocument({ arn, field, key: "A" }).writePending("two")).rejects.toThrow(/remove "#A"/);
  });
});
