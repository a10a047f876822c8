/** One version of a secret's text. */
export interface SecretVersion {
  /** Names it within its secret. */
  readonly id: string;
  readonly text: string;
  /** What programs read. The other one is pending: written down, and read by nobody yet. */
  readonly current: boolean;
}

/**
 * A secret whose text changes in two steps: the new text is written down before anything uses it, and becomes current once
 * it is proven. So no stop at any moment leaves a password that nobody knows.
 */
export interface StoredSecret {
  /** Dotted path of the setting that names the secret, for messages. */
  readonly field: string;
  /**
   * The current version, then the pending one; each may be absent, and a secret that was never written has none.
   *
   * @throws {SecretUnreadableError} fatal
   * @throws {SecretStoreUnavailableError} retryable
   */
  versions(): Promise<readonly SecretVersion[]>;
  /**
   * Writes a text down as the pending version, in place of an earlier pending one. A store may make the first version of a
   * secret current at once.
   */
  writePending(text: string): Promise<SecretVersion>;
  /** Makes a version the current one; the one before stays readable to people. Safe to repeat. */
  makeCurrent(version: SecretVersion): Promise<void>;
}
