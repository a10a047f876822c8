/** An access key of a user of a cloud's identity service, without its secret. */
export interface AccessKey {
  readonly id: string;
  /** An inactive key opens nothing; it counts towards the limit all the same. */
  readonly active: boolean;
  readonly created: Date;
}

/** What is known only at the moment at which a key is made. */
export interface NewAccessKey extends AccessKey {
  readonly secret: string;
}

/** The port to the access keys of one user. */
export interface AccessKeys {
  /** For messages, such as `IAM user ses-smtp-user`. */
  readonly name: string;
  list(): Promise<readonly AccessKey[]>;
  /** Makes a key; repeated, another one. Its secret is not to be had again. */
  create(): Promise<NewAccessKey>;
  /** Safe to repeat. */
  setActive(id: string, active: boolean): Promise<void>;
  /** Safe to repeat: a key that is gone is deleted. */
  remove(id: string): Promise<void>;
  /** When somebody last used it, which lags by hours; `undefined` where nobody has. */
  lastUsed(id: string): Promise<Date | undefined>;
}
