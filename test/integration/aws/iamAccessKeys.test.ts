import { CreateUserCommand, IAMClient } from "@aws-sdk/client-iam";
import { iamAccessKeys } from "@openemr-ops/aws/iamAccessKeys";
import type { AccessKeys } from "@openemr-ops/core/accessKeys";
import { AccessKeyError, ControlPlaneAccessDeniedError, ControlPlaneUnavailableError } from "@openemr-ops/core/errors";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type AwsServer, startAws } from "../../support/awsServer.ts";
import { type AwsAnswer, startAwsStub } from "../../support/awsStub.ts";

const region = "eu-central-1";

describe("the access keys of a user of IAM", () => {
  let aws: AwsServer;
  beforeAll(async () => {
    aws = await startAws();
  });
  afterAll(() => aws[Symbol.asyncDispose]());

  let count = 0;
  const aUser = async (): Promise<AccessKeys> => {
    const user = `ses-smtp-user-${++count}`;
    await new IAMClient({ region }).send(new CreateUserCommand({ UserName: user }));
    return iamAccessKeys({ user, region });
  };

  it("are made with their secret, listed without it, made inactive and active, and deleted, each as often as asked", async () => {
    const keys = await aUser();
    expect(await keys.list()).toEqual([]);
    const { secret, ...made } = await keys.create();
    expect(secret.length).toBeGreaterThan(30);
    expect(made).toEqual({ id: expect.stringMatching(/^AKIA/), active: true, created: expect.any(Date) });
    expect(await keys.list()).toEqual([made]);
    for (const active of [false, false, true, true]) {
      await keys.setActive(made.id, active);
      expect(await keys.list()).toEqual([{ ...made, active }]);
    }
    expect(await keys.lastUsed(made.id)).toSatisfy((used) => used === undefined || used instanceof Date);
    await keys.remove(made.id);
    await keys.remove(made.id);
    expect(await keys.list()).toEqual([]);
  });

  it("are two at most, and a third is refused by name, whatever their state", async () => {
    const keys = await aUser();
    const [first] = [await keys.create(), await keys.create()];
    await keys.setActive(first.id, false);
    await expect(keys.create()).rejects.toThrow(AccessKeyError);
    await expect(keys.create()).rejects.toThrow(/has 2 access keys, active or not; delete the one that nobody uses/);
    expect((await keys.list()).length).toBe(2);
  });

  it("of a user who does not exist are refused, with the setting that names it", async () => {
    const keys = iamAccessKeys({ user: "nobody", region });
    for (const refused of [keys.list, keys.create]) {
      await expect(refused()).rejects.toThrow(AccessKeyError);
      await expect(refused()).rejects.toThrow(/there is no IAM user nobody.*rotations\.smtp\.iamUser/);
    }
  });
});

describe("a request for access keys", () => {
  afterEach(() => vi.unstubAllEnvs());
  const against = async (
    answer: (action: string, count: number) => AwsAnswer,
    work: (keys: AccessKeys) => Promise<unknown>,
  ) => {
    let count = 0;
    await using stub = await startAwsStub(({ action }) => answer(action, ++count));
    vi.stubEnv("AWS_ENDPOINT_URL", stub.url);
    vi.stubEnv("AWS_ACCESS_KEY_ID", "key");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "secret");
    const result = await work(iamAccessKeys({ user: "ses", region })).catch((error: unknown) => error);
    return { result, calls: stub.calls };
  };

  it.each([
    { right: "ListAccessKeys", work: (keys: AccessKeys) => keys.list() },
    { right: "CreateAccessKey", work: (keys: AccessKeys) => keys.create() },
    { right: "UpdateAccessKey", work: (keys: AccessKeys) => keys.setActive("AKIAX", false) },
    { right: "DeleteAccessKey", work: (keys: AccessKeys) => keys.remove("AKIAX") },
    { right: "GetAccessKeyLastUsed", work: (keys: AccessKeys) => keys.lastUsed("AKIAX") },
  ])("that IAM refuses says to allow iam:$right on that user", async ({ right, work }) => {
    const { result } = await against(() => ({ error: "AccessDenied", status: 403 }), work);
    expect(result).toBeInstanceOf(AccessKeyError);
    expect(String(result)).toContain(`allow this role iam:${right} on the IAM user ses`);
  });

  it("to make one is made once, for an answer that is lost may have made it", async () => {
    const { result, calls } = await against(
      () => ({ error: "ServiceFailure", status: 500 }),
      (keys) => keys.create(),
    );
    expect(result).toBeInstanceOf(ControlPlaneUnavailableError);
    expect(calls.map(({ action }) => action)).toEqual(["CreateAccessKey"]);
  });

  it("to list them follows the pages", async () => {
    const page = (id: string, marker?: string) => ({
      body: `<ListAccessKeysResponse><ListAccessKeysResult><AccessKeyMetadata><member><UserName>ses</UserName><AccessKeyId>${id}</AccessKeyId><Status>Inactive</Status><CreateDate>2026-11-01T00:00:00Z</CreateDate></member></AccessKeyMetadata><IsTruncated>${marker !== undefined}</IsTruncated>${marker === undefined ? "" : `<Marker>${marker}</Marker>`}</ListAccessKeysResult></ListAccessKeysResponse>`,
    });
    const { result, calls } = await against(
      (_, count) => (count === 1 ? page("AKIAONE", "more") : page("AKIATWO")),
      (keys) => keys.list(),
    );
    const created = new Date("2026-11-01T00:00:00Z");
    expect(result).toEqual(["AKIAONE", "AKIATWO"].map((id) => ({ id, active: false, created })));
    expect(calls.map(({ input }) => input.Marker)).toEqual([undefined, "more"]);
  });

  it.each([
    { error: "EntityTemporarilyUnmodifiable", expected: ControlPlaneUnavailableError },
    { error: "InvalidClientTokenId", expected: ControlPlaneAccessDeniedError },
    { error: "NoSuchEntity", expected: AccessKeyError },
  ])("that ends with $error has a name of its own", async ({ error, expected }) => {
    const { result } = await against(
      () => ({ error, status: 400 }),
      (keys) => keys.setActive("AKIAX", true),
    );
    expect(result).toBeInstanceOf(expected);
  });
});
