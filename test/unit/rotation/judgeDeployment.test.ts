import type { ServiceDeployment, ServiceView } from "@openemr-ops/core/deployments";
import { deploymentProblem, judgeDeployment } from "@openemr-ops/rotation/redeploy/judgeDeployment";
import { describe, expect, it } from "vitest";

const startedAt = new Date("2026-11-20T12:00:00.000Z");
const started = { id: "ecs-svc/2", service: "service openemr", startedAt, limitSeconds: 2700 };
const after = (seconds: number) => new Date(startedAt.getTime() + seconds * 1000);

const aDeployment = (changes: Partial<ServiceDeployment> = {}): ServiceDeployment => ({
  id: started.id,
  status: "PRIMARY",
  rollout: "COMPLETED",
  desired: 2,
  running: 2,
  pending: 0,
  failed: 0,
  ...changes,
});
const theOneBefore = (changes: Partial<ServiceDeployment> = {}) =>
  aDeployment({ id: "ecs-svc/1", status: "ACTIVE", ...changes });
const aView = (...deployments: readonly ServiceDeployment[]): ServiceView => ({ desired: 2, deployments });
const judge = (view: ServiceView, seconds = 60) => judgeDeployment(started, view, after(seconds));

describe("a deployment", () => {
  it("is complete when it is the newest, called complete, runs what is wanted and runs alone", () => {
    expect(judge(aView(aDeployment()))).toEqual({ state: "completed" });
    expect(judge(aView(aDeployment(), theOneBefore({ running: 0, status: "INACTIVE" })))).toEqual({
      state: "completed",
    });
  });

  it.each<{ what: string; view: ServiceView; says: string }>([
    {
      what: "the container service does not call it complete",
      view: aView(aDeployment({ rollout: "IN_PROGRESS" })),
      says: "2 of 2 tasks run",
    },
    { what: "a task is missing", view: aView(aDeployment({ running: 1 })), says: "1 of 2 tasks run" },
    {
      what: "it wants no task yet, which equals none that runs",
      view: aView(aDeployment({ desired: 0, running: 0 })),
      says: "0 of 0 tasks run",
    },
    {
      what: "a task of the one before still serves",
      view: aView(aDeployment(), theOneBefore({ running: 1 })),
      says: "2 of 2 tasks run, 1 task of the deployment before",
    },
    {
      what: "tasks start and fail",
      view: aView(aDeployment({ rollout: "IN_PROGRESS", running: 0, pending: 1, failed: 3 })),
      says: "0 of 2 tasks run, 1 start, 3 failed",
    },
    { what: "the service does not list it yet", view: aView(), says: "the service does not list it" },
  ])("is under way while $what, and stuck once its own time is over", ({ view, says }) => {
    expect(judge(view)).toEqual({ state: "underWay", detail: says });
    expect(judge(view, 2700)).toMatchObject({ state: "stuck", error: { name: "DeploymentStuckError" } });
    const judged = judge(view, 2700);
    expect("error" in judged && judged.error.message).toContain(`not complete after 45 minutes (${says})`);
  });

  it.each<{ what: string; view: ServiceView; state: string; name: string; says: RegExp }>([
    {
      what: "its rollout failed, and it is still the newest",
      view: aView(aDeployment({ rollout: "FAILED", running: 0, reason: "tasks failed to start" }), theOneBefore()),
      state: "failed",
      name: "DeploymentFailedError",
      says: /ecs-svc\/2 of service openemr failed: tasks failed to start; read why/,
    },
    {
      what: "the circuit breaker went back to the one before",
      view: aView(
        aDeployment({ id: "ecs-svc/3", reason: "ECS deployment circuit breaker: rolling back to ecs-svc/1" }),
        aDeployment({ status: "ACTIVE", rollout: "FAILED", running: 0, reason: "circuit breaker: tasks failed" }),
      ),
      state: "rolledBack",
      name: "DeploymentRolledBackError",
      says: /went back to the deployment before, because ecs-svc\/2 failed: circuit breaker/,
    },
    {
      what: "the roll-back is complete and ours is listed no more",
      view: aView(aDeployment({ id: "ecs-svc/3", reason: "rolling back to deploymentId ecs-svc/1" })),
      state: "rolledBack",
      name: "DeploymentRolledBackError",
      says: /went back to the deployment before/,
    },
    {
      what: "the old one is the newest again, and everything is stable",
      view: aView(aDeployment({ id: "ecs-svc/1" }), aDeployment({ status: "INACTIVE", rollout: "FAILED", running: 0 })),
      state: "rolledBack",
      name: "DeploymentRolledBackError",
      says: /went back/,
    },
    {
      what: "somebody forced another one with the same task definition",
      view: aView(aDeployment({ id: "ecs-svc/9" }), aDeployment({ status: "ACTIVE", rollout: "IN_PROGRESS" })),
      state: "replaced",
      name: "DeploymentRolledBackError",
      says: /another deployment of service openemr \(ecs-svc\/9\) took the place/,
    },
    {
      what: "the service is set to run no task",
      view: { desired: 0, deployments: [aDeployment({ desired: 0, running: 0 })] },
      state: "scaledToZero",
      name: "ServiceScaledToZeroError",
      says: /is set to run no task/,
    },
  ])("ends the job when $what", ({ view, state, name, says }) => {
    for (const seconds of [0, 60, 10_000]) {
      const judged = judge(view, seconds);
      expect(judged).toMatchObject({ state, error: { name } });
      expect("error" in judged && judged.error.message).toMatch(says);
    }
  });

  it("is complete even when somebody looks late", () => {
    expect(judge(aView(aDeployment()), 10_000)).toEqual({ state: "completed" });
  });

  it("is not started while the service is set to run no task", () => {
    expect(deploymentProblem({ desired: 0, deployments: [] }, "service openemr")?.name).toBe(
      "ServiceScaledToZeroError",
    );
    expect(deploymentProblem(aView(aDeployment()), "service openemr")).toBeUndefined();
  });
});
