/** One version of a stored password. */
export interface PasswordVersion {
  /** Names it within its secret. */
  readonly id: string;
  readonly password: string;
  /** What jobs read. The other one is pending: written down, and read by nobody yet. */
  readonly current: boolean;
}

/**
 * The secret in which the password of one database user is kept. A new password is written down before it is used anywhere,
 * so that no stop at any moment leaves a user whose password nobody knows.
 */
export interface StoredPassword {
  /** Dotted path of the setting that names the secret, for messages. */
  readonly field: string;
  /**
   * The current version, then the pending one; each may be absent, and an empty secret has none.
   *
   * @throws {SecretUnreadableError} fatal
   * @throws {SecretStoreUnavailableError} retryable
   */
  versions(): Promise<readonly PasswordVersion[]>;
  /**
   * Writes a new password down as the pending version. A store may make the first version of a secret the current one at once.
   *
   * @throws {InvalidInputError} fatal: nothing can be written where the setting points
   */
  writePending(password: string): Promise<PasswordVersion>;
  /** Makes a version the current one. Safe to repeat. */
  makeCurrent(version: PasswordVersion): Promise<void>;
}
