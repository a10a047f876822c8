/** The port to whoever starts and stops OpenEMR, such as a container service. */
export interface ServiceState {
  /** For messages, such as `service openemr of cluster clinic`. */
  readonly name: string;
  /** What a person does to stop it. */
  readonly howToStop: string;
  /**
   * How many containers run or are being started, and how many it keeps running.
   *
   * @throws the control plane's errors: then neither is known
   */
  state(): Promise<{ readonly running: number; readonly wanted: number }>;
}
