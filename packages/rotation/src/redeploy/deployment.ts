/** One deployment of a service: the tasks that one call started, and how far they have replaced the ones before. */
export interface Deployment {
  readonly id: string;
  /** `primary`: the newest, and the one that the service moves to. `active`: another one, whose tasks still run. */
  readonly status: "primary" | "active" | "inactive";
  /** `unknown`: the service does not say, because something else than it rolls out. */
  readonly rollout: "inProgress" | "completed" | "failed" | "unknown";
  /** Why it is so, in the service's words. */
  readonly reason: string;
  readonly wanted: number;
  readonly running: number;
  readonly pending: number;
  /** Tasks of it that could not be started or did not live. */
  readonly failed: number;
}

/** What a service said of itself, in its words. The newest come first. */
export interface ServiceEvent {
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly message: string;
}

/** What a container service says at one moment of one service. */
export interface ServiceDeployments {
  /** For messages, such as `service openemr of cluster clinic`. */
  readonly name: string;
  /** Tasks, of all deployments. */
  readonly wanted: number;
  readonly running: number;
  readonly pending: number;
  /** Those that the service still remembers: it forgets one soon after another has replaced it. */
  readonly deployments: readonly Deployment[];
  readonly events: readonly ServiceEvent[];
}

/** The port to whoever replaces OpenEMR's containers. Errors: those of the control plane. */
export interface DeployableService {
  readonly name: string;
  /** Starts new tasks of what is deployed, and says under which name. A repeated call starts another deployment. */
  start(): Promise<{ readonly id: string }>;
  look(): Promise<ServiceDeployments>;
}
