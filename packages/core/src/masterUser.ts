/** The database server's administrator, where a service changes its password. */
export interface ManagedMaster {
  /** For messages, such as `cluster clinic`. */
  readonly name: string;
  /** The user's name. */
  readonly user: string;
  /** The service itself keeps the password in a secret and replaces it; nobody else may. */
  readonly keepsPassword: boolean;
  /** A change of the password waits for a maintenance window: a value that somebody set before. */
  readonly changePending: boolean;
}

/** The port to a service that administers database servers, as RDS does. */
export interface MasterUserService {
  /** What is, before and after a change. */
  look(): Promise<ManagedMaster>;
  /** Sets a password, at once and not in a maintenance window. Whether it works yet, a login shows. */
  setPassword(password: string): Promise<void>;
  /** Starts the service's own rotation; only where it keeps the password. */
  rotateOwn(): Promise<void>;
  /** The current password where the service keeps it; `versionId` differs after each rotation. */
  readOwn(): Promise<{ readonly user: string; readonly password: string; readonly versionId: string }>;
}
