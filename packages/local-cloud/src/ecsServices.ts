import { randomBytes } from "node:crypto";

/** How deployments of a service end. */
export type Rollout = "completes" | "fails" | "rollsBack" | "stalls";

export interface EcsServiceSettings {
  /** `completes` when not said. */
  readonly rollout?: Rollout;
  /** Called when new tasks have taken the place of all others. */
  readonly onReplaced?: () => void;
  /** What its containers get by their environment, by name: secrets as ARNs. Nothing when not said. */
  readonly secrets?: Readonly<Record<string, string>>;
}

/** As DescribeServices has it. */
interface Deployment {
  readonly id: string;
  status: "PRIMARY" | "ACTIVE";
  readonly desiredCount: number;
  runningCount: number;
  pendingCount: number;
  failedTasks: number;
  rolloutState: "COMPLETED" | "FAILED" | "IN_PROGRESS";
  rolloutStateReason: string;
}

interface Service {
  count: number;
  settings: EcsServiceSettings;
  deployments: Deployment[];
  readonly events: { readonly at: Date; readonly message: string }[];
  /** The steps that the deployment under way still takes, one with each look. */
  steps: (() => void)[];
}

const newId = (): string => `ecs-svc/${BigInt(`0x${randomBytes(8).toString("hex")}`)}`;

const deploymentOf = (count: number): Deployment => ({
  id: newId(),
  status: "PRIMARY",
  desiredCount: count,
  runningCount: 0,
  pendingCount: count,
  failedTasks: 0,
  rolloutState: "IN_PROGRESS",
  rolloutStateReason: "",
});

const complete = (service: Service, deployment: Deployment): void => {
  Object.assign(deployment, {
    runningCount: deployment.desiredCount,
    pendingCount: 0,
    rolloutState: "COMPLETED",
    rolloutStateReason: `ECS deployment ${deployment.id} completed.`,
  });
  service.deployments = [deployment];
  service.events.unshift({ at: new Date(), message: `(deployment ${deployment.id}) deployment completed.` });
};

const stepsOf = (service: Service, deployment: Deployment, before: Deployment | undefined): (() => void)[] => {
  const { count, settings } = service;
  const { rollout = "completes", onReplaced } = settings;
  const starts = () => {
    service.events.unshift({ at: new Date(), message: `has started ${count} tasks.` });
  };
  const dies = () => {
    Object.assign(deployment, { failedTasks: deployment.failedTasks + 1 });
    service.events.unshift({ at: new Date(), message: `(deployment ${deployment.id}) task failed to start.` });
  };
  const failed = (reason: string) =>
    Object.assign(deployment, { pendingCount: 0, rolloutState: "FAILED", rolloutStateReason: reason });
  switch (rollout) {
    case "stalls":
      return [starts];
    case "fails":
      return [starts, dies, () => failed(`ECS deployment circuit breaker: tasks of ${deployment.id} failed to start.`)];
    case "rollsBack":
      return [
        starts,
        dies,
        () => {
          const back = { ...deploymentOf(count), runningCount: before?.runningCount ?? 0, pendingCount: 0 };
          back.rolloutStateReason = `ECS deployment circuit breaker: rolling back to deploymentId ${before?.id}.`;
          failed("ECS deployment circuit breaker: tasks failed to start.");
          deployment.status = "ACTIVE";
          service.deployments = [back, deployment];
          service.steps.push(() => complete(service, back));
        },
      ];
    case "completes":
      return [
        starts,
        () => Object.assign(deployment, { runningCount: count, pendingCount: 0 }),
        () => {
          complete(service, deployment);
          onReplaced?.();
        },
      ];
  }
};

/**
 * Services of ECS that no stack makes; none of their tasks is a process here. A forced deployment takes a step with each look at
 * the service, so that nothing depends on how long a look takes.
 */
export const ecsServices = () => {
  const services = new Map<string, Service>();
  return {
    put: (name: string, count: number, settings: EcsServiceSettings = {}): void => {
      const service = services.get(name) ?? { count, settings, deployments: [], events: [], steps: [] };
      Object.assign(service, { count, settings, steps: [] });
      complete(service, deploymentOf(count));
      services.set(name, service);
    },
    secrets: (name: string): Readonly<Record<string, string>> | undefined => {
      const service = services.get(name);
      return service && (service.settings.secrets ?? {});
    },
    count: (name: string): number | undefined => services.get(name)?.count,
    /** As DescribeServices describes it; then the deployment goes on. */
    look: (name: string) => {
      const service = services.get(name);
      if (!service) return undefined;
      service.steps.shift()?.();
      return {
        count: service.count,
        deployments: service.deployments.map((one) => ({ ...one })),
        events: service.events,
      };
    },
    deploy: (name: string): readonly Deployment[] | undefined => {
      const service = services.get(name);
      if (!service) return undefined;
      const before = service.deployments.find(({ status }) => status === "PRIMARY");
      const next = deploymentOf(service.count);
      next.rolloutStateReason = `ECS deployment ${next.id} in progress.`;
      service.deployments = [next, ...service.deployments.map((one) => ({ ...one, status: "ACTIVE" as const }))];
      service.steps = stepsOf(service, next, before);
      return service.deployments.map((one) => ({ ...one }));
    },
  };
};

export type EcsServices = ReturnType<typeof ecsServices>;
