import { ecsService } from "@openemr-ops/aws/ecsService";
import {
  ControlPlaneAccessDeniedError,
  ControlPlaneMissingError,
  ControlPlaneUnavailableError,
} from "@openemr-ops/core/errors";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type AwsAnswer, startAwsStub } from "../../support/awsStub.ts";

afterEach(() => vi.unstubAllEnvs());

/** What the product knows after ECS has answered so. */
const stateWith = async (services: AwsAnswer, tasks: AwsAnswer = { body: { taskArns: [] } }) => {
  await using stub = await startAwsStub(({ action }) => (action === "DescribeServices" ? services : tasks));
  vi.stubEnv("AWS_ENDPOINT_URL", stub.url);
  vi.stubEnv("AWS_REGION", "eu-central-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", "key");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "secret");
  return await ecsService({ cluster: "clinic", service: "openemr" }).state();
};
const counts = (runningCount: number, pendingCount: number, desiredCount: number): AwsAnswer => ({
  body: { services: [{ serviceName: "openemr", status: "ACTIVE", runningCount, pendingCount, desiredCount }] },
});

describe("whether a service of ECS is stopped", () => {
  it.each([
    { what: "is stopped", services: counts(0, 0, 0), tasks: [], expected: { running: 0, wanted: 0 } },
    { what: "runs tasks", services: counts(2, 0, 2), tasks: ["a", "b"], expected: { running: 2, wanted: 2 } },
    { what: "starts tasks", services: counts(0, 1, 0), tasks: [], expected: { running: 1, wanted: 0 } },
    { what: "counts none and lists one", services: counts(0, 0, 0), tasks: ["a"], expected: { running: 1, wanted: 0 } },
  ])("is known when it $what", async ({ services, tasks, expected }) => {
    expect(await stateWith(services, { body: { taskArns: tasks } })).toEqual(expected);
  });

  it.each([
    { what: "a service that is absent", services: { body: { services: [] } }, expected: ControlPlaneMissingError },
    {
      what: "a service without counts",
      services: { body: { services: [{}] } },
      expected: ControlPlaneUnavailableError,
    },
    { what: "a missing right", services: { error: "AccessDeniedException" }, expected: ControlPlaneAccessDeniedError },
    { what: "an outage", services: { error: "ServerException", status: 500 }, expected: ControlPlaneUnavailableError },
  ])("is not known with $what", async ({ services, expected }) => {
    await expect(stateWith(services)).rejects.toThrow(expected);
  });

  it("is not known when its tasks cannot be listed", async () => {
    const refused = stateWith(counts(0, 0, 0), { error: "AccessDeniedException" });
    await expect(refused).rejects.toThrow(/ecs:ListTasks/);
  });
});
