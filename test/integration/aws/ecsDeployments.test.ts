import { ecsDeployments } from "@openemr-ops/aws/ecsDeployments";
import type { DeployableService } from "@openemr-ops/core/deployments";
import {
  ControlPlaneAccessDeniedError,
  ControlPlaneMissingError,
  ControlPlaneUnavailableError,
} from "@openemr-ops/core/errors";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type AwsAnswer, startAwsStub } from "../../support/awsStub.ts";

afterEach(() => vi.unstubAllEnvs());

/** What is done with a service while ECS answers so. */
const against = async <Result>(answer: AwsAnswer, work: (service: DeployableService) => Promise<Result>) => {
  await using stub = await startAwsStub(() => answer);
  vi.stubEnv("AWS_ENDPOINT_URL", stub.url);
  vi.stubEnv("AWS_REGION", "eu-central-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", "key");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "secret");
  const result = await work(ecsDeployments({ cluster: "clinic", service: "openemr" }));
  return { result, calls: stub.calls };
};
const counts = { desiredCount: 2, runningCount: 3, pendingCount: 1 };
const service = (fields: object): AwsAnswer => ({
  body: { services: [{ serviceName: "openemr", status: "ACTIVE", ...counts, ...fields }] },
});
const old = { id: "ecs-svc/1", status: "ACTIVE", desiredCount: 2, runningCount: 2, pendingCount: 0 };
const fresh = {
  id: "ecs-svc/2",
  status: "PRIMARY",
  desiredCount: 2,
  runningCount: 1,
  pendingCount: 1,
  failedTasks: 3,
  rolloutState: "IN_PROGRESS",
  rolloutStateReason: "ECS deployment ecs-svc/2 in progress.",
};

describe("a deployment of OpenEMR's service in ECS", () => {
  it("is started with the tasks of what is deployed, and known by the id that ECS gives it", async () => {
    const { result, calls } = await against({ body: { service: { deployments: [old, fresh] } } }, (ecs) =>
      ecs.deploy(),
    );
    expect(result).toBe("ecs-svc/2");
    expect(calls).toEqual([
      { action: "UpdateService", input: { cluster: "clinic", service: "openemr", forceNewDeployment: true } },
    ]);
  });

  it("is described beside the one that it replaces", async () => {
    const { result } = await against(service({ deployments: [fresh, old] }), (ecs) => ecs.view());
    expect(result).toEqual({
      desired: 2,
      deployments: [
        {
          id: "ecs-svc/2",
          status: "PRIMARY",
          rollout: "IN_PROGRESS",
          reason: "ECS deployment ecs-svc/2 in progress.",
          desired: 2,
          running: 1,
          pending: 1,
          failed: 3,
        },
        { id: "ecs-svc/1", status: "ACTIVE", desired: 2, running: 2, pending: 0, failed: 0 },
      ],
    });
  });

  it.each([
    { what: "a service that is absent", answer: { body: { services: [] } }, expected: ControlPlaneMissingError },
    { what: "a deleted one", answer: service({ status: "INACTIVE" }), expected: ControlPlaneMissingError },
    { what: "an absent cluster", answer: { error: "ClusterNotFoundException" }, expected: ControlPlaneMissingError },
    { what: "no counts", answer: service({ desiredCount: null }), expected: ControlPlaneUnavailableError },
    { what: "a missing right", answer: { error: "AccessDeniedException" }, expected: ControlPlaneAccessDeniedError },
  ])("is not known with $what", async ({ answer, expected }) => {
    await expect(against(answer, (ecs) => ecs.view())).rejects.toThrow(expected);
  });

  it.each([
    {
      what: "the service is absent",
      answer: { error: "ServiceNotFoundException" },
      expected: ControlPlaneMissingError,
    },
    { what: "it is not active", answer: { error: "ServiceNotActiveException" }, expected: ControlPlaneMissingError },
    { what: "a right is missing", answer: { error: "AccessDeniedException" }, expected: /ecs:UpdateService/ },
    { what: "ECS names none", answer: { body: { service: {} } }, expected: ControlPlaneUnavailableError },
  ])("is not started when $what", async ({ answer, expected }) => {
    await expect(against(answer, (ecs) => ecs.deploy())).rejects.toThrow(expected);
  });
});
