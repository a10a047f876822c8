import type { DeployableService, ServiceView } from "@openemr-ops/core/deployments";
import type { HealthCheck } from "@openemr-ops/core/errors";
import { deploymentOf, restartBy } from "@openemr-ops/rotation/redeploy/redeploy";
import { untilHealthy } from "@openemr-ops/rotation/redeploy/untilItWorks";
import { describe, expect, it } from "vitest";
import { manualClock } from "../../support/manualClock.ts";

/** Ports with a clock that only waiting moves. */
const ports = (signal = new AbortController().signal) => {
  const clock = manualClock();
  const details: string[] = [];
  return {
    details,
    now: clock.now,
    signal,
    wait: async (seconds: number) => clock.advance(seconds),
    progress: ({ detail = "" }: { readonly detail?: string }) => void details.push(detail),
  };
};

describe("a restart command", () => {
  it("is a program with its arguments: no shell reads them, and nothing it prints is repeated", async () => {
    const at = ports();
    const quoted = restartBy(["sh", "-c", 'echo "canary-$1 canary" >&2; test "$1" = "a b;exit 3"', "sh", "a b;exit 3"]);
    await expect(quoted.carryOut(at)).resolves.toEqual({});
    expect(at.details.join()).not.toContain("canary");
  });

  it.each([
    { what: "its status", command: ["sh", "-c", "echo canary; exit 3"], says: /\(sh\) ended with status 3; run it by/ },
    { what: "its signal", command: ["sh", "-c", "kill -9 $$"], says: /\(sh\) ended by the signal SIGKILL/ },
  ])("that fails ends the job with $what", async ({ command, says }) => {
    const failure = await restartBy(command)
      .carryOut(ports())
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: "DeploymentFailedError", message: expect.stringMatching(says) });
    expect(String(failure)).not.toContain("canary");
  });

  it("that does not exist is named", async () => {
    await expect(restartBy(["no-such-program"]).carryOut(ports())).rejects.toThrow(/no-such-program is not installed/);
  });

  it("has a limit in time, and is ended with all that it started", async () => {
    const slow = restartBy(["sh", "-c", "sleep 600 & wait"], { limitSeconds: 0.2 });
    await expect(slow.carryOut(ports())).rejects.toThrow(/did not end within 0.2 seconds/);
  });

  it("that leaves a server in the background, with its output open, is over when it ends itself", async () => {
    const start = restartBy(["sh", "-c", "sleep 3 & exit 0"], { limitSeconds: 2 });
    await expect(start.carryOut(ports())).resolves.toEqual({});
  });

  it("is ended when the job is", async () => {
    const stop = new AbortController();
    const running = restartBy(["sleep", "600"]).carryOut(ports(stop.signal));
    stop.abort(new Error("lock lost"));
    await expect(running).rejects.toThrow("lock lost");
  });
});

const aView = (running: number, changes: Partial<ServiceView> = {}): ServiceView => ({
  desired: 1,
  deployments: [
    {
      id: "ecs-svc/2",
      status: "PRIMARY",
      rollout: running === 1 ? "COMPLETED" : "IN_PROGRESS",
      desired: 1,
      running,
      pending: 0,
      failed: 0,
    },
  ],
  ...changes,
});

/** A service that answers one view after the other, and the last one for ever. */
const aService = (views: readonly ServiceView[]): DeployableService & { readonly deployed: string[] } => {
  const deployed: string[] = [];
  let looks = 0;
  return {
    name: "service openemr",
    deployed,
    deploy: async () => {
      deployed.push("ecs-svc/2");
      return "ecs-svc/2";
    },
    view: async () => views[Math.min(looks++, views.length - 1)] ?? aView(0),
  };
};

describe("a service that is deployed anew", () => {
  it("is followed by the deployment's identifier until that is complete", async () => {
    const at = ports();
    const service = aService([aView(1), aView(0), aView(0), aView(1)]);
    await expect(deploymentOf(service).carryOut(at)).resolves.toEqual({ deployment: "ecs-svc/2" });
    expect(at.details).toEqual(["0 of 1 task run", "0 of 1 task run"]);
  });

  it("stops by its own time limit", async () => {
    const service = aService([aView(0)]);
    await expect(deploymentOf(service, { limitSeconds: 60 }).carryOut(ports())).rejects.toMatchObject({
      name: "DeploymentStuckError",
    });
  });

  it("is left alone where it is set to run no task", async () => {
    const service = aService([aView(0, { desired: 0 })]);
    const refused = { name: "ServiceScaledToZeroError" };
    await expect(deploymentOf(service).check()).rejects.toMatchObject(refused);
    await expect(deploymentOf(service).carryOut(ports())).rejects.toMatchObject(refused);
    expect(service.deployed).toEqual([]);
  });
});

describe("the look at OpenEMR's health", () => {
  const aLook = (status: HealthCheck["status"]): HealthCheck => ({
    name: "openemr",
    ok: status !== "failed",
    status,
    detail: `it is ${status}`,
    next: "read the log",
  });
  const gate = (seen: readonly HealthCheck["status"][], at = ports()) => {
    let looks = 0;
    const look = async () => aLook(seen[Math.min(looks++, seen.length - 1)] ?? "failed");
    return { at, looks: () => looks, run: () => untilHealthy({ ...at, look, limitSeconds: 10 }, at.signal) };
  };

  it("takes two good answers in a row: one may come from a worker that is about to end", async () => {
    const flapping = gate(["failed", "ok", "failed", "ok", "warning"]);
    await flapping.run();
    expect(flapping.looks()).toBe(5);
  });

  it.each(["failed", "unknown"] as const)("lets nobody through who is %s for its whole time", async (status) => {
    await expect(gate([status]).run()).rejects.toMatchObject({
      name: "InstallationUnhealthyError",
      message: `OpenEMR is not healthy after 10 seconds: openemr: it is ${status}; read the log`,
      checks: [{ status }],
    });
  });

  it("ends at once when the job is stopped", async () => {
    const stopped = ports(AbortSignal.abort(new Error("stopped")));
    await expect(gate(["ok"], stopped).run()).rejects.toThrow("stopped");
  });
});
