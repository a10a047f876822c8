/** How one site of OpenEMR sends mail, with the password in clear: never log or store it. */
export interface SiteMail {
  /** `SMTP`, `PHPMAIL` or `SENDMAIL`; only the first has credentials. Empty where OpenEMR is not set up yet. */
  readonly method: string;
  readonly host: string;
  readonly port: number;
  /** `""`, `ssl` or `tls`. */
  readonly secure: string;
  readonly user: string;
  readonly password: string;
}

/** A login of an SMTP server. */
export interface SmtpLogin {
  readonly user: string;
  readonly password: string;
}

/** Rows of `email_queue`, counted. */
export interface MailQueue {
  /** Sent since that moment. */
  readonly sent: number;
  /** Failed since that moment, and not sent since. */
  readonly failed: number;
  /** Neither sent nor failed yet. */
  readonly waiting: number;
}

/** The mail settings of one site, where OpenEMR keeps them; the port that rotations work with. */
export interface MailSettings {
  readonly site: string;
  /**
   * @throws {KeyPairError} fatal: the site's keys do not open what is stored, or a new value could not be sealed so that the
   *   running release reads it
   */
  read(): Promise<SiteMail>;
  /**
   * Replaces user and password together, sealed as the running release reads it, if they are still those of `before`; then reads
   * them back and opens them. Both hold from OpenEMR's next request on.
   *
   * @returns whether it was done; somebody else has changed them otherwise
   */
  replace(before: SmtpLogin, after: SmtpLogin): Promise<boolean>;
  queueSince(moment: Date): Promise<MailQueue>;
}
