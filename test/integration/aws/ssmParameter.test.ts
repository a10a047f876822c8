import { GetParameterCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { ssmParameter } from "@openemr-ops/aws/ssmParameter";
import { ControlPlaneAccessDeniedError } from "@openemr-ops/core/errors";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type AwsServer, startAws } from "../../support/awsServer.ts";
import { startAwsStub } from "../../support/awsStub.ts";

const place = { field: "installations[0].rotations.smtp.inStep.userParameter", region: "eu-central-1" };

describe("a parameter of Systems Manager", () => {
  let aws: AwsServer;
  beforeAll(async () => {
    aws = await startAws();
  });
  afterAll(() => aws[Symbol.asyncDispose]());
  const stored = async (name: string) =>
    (await new SSMClient(place).send(new GetParameterCommand({ Name: name }))).Parameter;

  it.each(["smtp_user", "/openemr/smtp_user"])("named %s is absent, is made, and is replaced", async (name) => {
    const parameter = ssmParameter({ ...place, name });
    expect(await parameter.read()).toBeUndefined();
    for (const text of ["AKIAONE", "AKIATWO"]) {
      await parameter.write(text);
      expect(await parameter.read()).toBe(text);
    }
    expect(await stored(name)).toMatchObject({ Type: "String", Value: "AKIATWO", Version: 2 });
  });

  it("is not written again with the text that it has", async () => {
    const parameter = ssmParameter({ ...place, name: "same" });
    await parameter.write("AKIAONE");
    await parameter.write("AKIAONE");
    expect(await stored("same")).toMatchObject({ Version: 1 });
  });

  it("keeps the type that it has", async () => {
    await new SSMClient(place).send(new PutParameterCommand({ Name: "list", Value: "a,b", Type: "StringList" }));
    await ssmParameter({ ...place, name: "list" }).write("AKIAONE");
    expect(await stored("list")).toMatchObject({ Type: "StringList", Value: "AKIAONE" });
  });
});

it.each([
  { right: "GetParameter", work: (name: string) => ssmParameter({ ...place, name }).read() },
  { right: "PutParameter", work: (name: string) => ssmParameter({ ...place, name }).write("AKIA") },
])("a parameter that is refused says to allow ssm:$right", async ({ right, work }) => {
  await using stub = await startAwsStub(({ action }) =>
    action === right ? { error: "AccessDeniedException" } : { error: "ParameterNotFound" },
  );
  vi.stubEnv("AWS_ENDPOINT_URL", stub.url);
  vi.stubEnv("AWS_ACCESS_KEY_ID", "key");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "secret");
  const refused = work("smtp_user");
  await expect(refused).rejects.toThrow(ControlPlaneAccessDeniedError);
  await expect(refused).rejects.toThrow(`parameter smtp_user failed`);
  await expect(refused).rejects.toThrow(`allow this role ssm:${right}`);
  vi.unstubAllEnvs();
});
