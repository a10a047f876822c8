/** The port to one named text that is no secret, as a parameter of Systems Manager is. */
export interface TextParameter {
  /** Dotted path of the setting that names it, for messages. */
  readonly field: string;
  /** `undefined` where there is none. */
  read(): Promise<string | undefined>;
  /** Replaces the text. Safe to repeat. */
  write(text: string): Promise<void>;
}
