/** One deployment of a service, as the container service describes it. */
export interface ServiceDeployment {
  readonly id: string;
  /** `PRIMARY`: the newest. `ACTIVE`: one before it, whose tasks still run. */
  readonly status: string;
  /** `IN_PROGRESS`, `COMPLETED`, `FAILED`; not set where the service tells none. */
  readonly rollout?: string | undefined;
  /** The container service's own words on it. */
  readonly reason?: string | undefined;
  readonly desired: number;
  readonly running: number;
  readonly pending: number;
  /** Tasks of it that stopped or never started. */
  readonly failed: number;
}

/** A service at one moment. */
export interface ServiceView {
  /** How many tasks it is set to run. */
  readonly desired: number;
  readonly deployments: readonly ServiceDeployment[];
}

/** The port to a service of which all tasks can be replaced by new ones. */
export interface DeployableService {
  /** For messages, such as `service openemr of cluster clinic`. */
  readonly name: string;
  /**
   * Starts a deployment of what runs already. Repeated, it starts another one.
   *
   * @returns the identifier of the new deployment
   */
  deploy(): Promise<string>;
  view(): Promise<ServiceView>;
}
