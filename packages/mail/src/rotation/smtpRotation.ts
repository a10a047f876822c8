import type { AccessKeys } from "@openemr-ops/core/accessKeys";
import type { ReportProgress } from "@openemr-ops/core/progress";
import type { StoredSecret } from "@openemr-ops/core/storedSecret";
import type { TextParameter } from "@openemr-ops/core/textParameter";
import type { MailSettings, SmtpLogin } from "../settings/mailSettings.ts";

/** A message that proves that mail goes out; nothing in it names a patient. */
export interface TestMessage {
  readonly from: string;
  readonly to: string;
}

/** The port to an SMTP server; each call opens its own connection, over TLS. */
export interface MailServer {
  /** For messages, such as `email-smtp.eu-central-1.amazonaws.com:587`. */
  readonly name: string;
  /**
   * @throws {MailLoginRefusedError} the server refuses user and password, which a new key gets until it has spread
   * @throws {MailServerUnavailableError} retryable: no connection, no TLS, or the server asks for patience
   */
  logIn(login: SmtpLogin, signal: AbortSignal): Promise<void>;
  /** @returns the identifier that the server gave the message */
  send(login: SmtpLogin, message: TestMessage, signal: AbortSignal): Promise<string>;
}

/** What a rotation of the SMTP server's credentials works on. */
export interface SmtpRotation {
  /** The user whose access keys the credentials are made of. */
  readonly accessKeys: AccessKeys;
  /** JSON with `password`, `username`, and what is under way; see `smtpSecret.ts`. */
  readonly secret: StoredSecret;
  /** Further places that other programs read. */
  readonly inStep: {
    /** JSON with the access key's secret under `password`. */
    readonly secretAccessKey?: StoredSecret;
    /** The access key's identifier. */
    readonly userParameter?: TextParameter;
  };
  /** Of SES; the first is the one that OpenEMR's server is in. */
  readonly regions: readonly [string, ...string[]];
  readonly server: MailServer;
  readonly testMessage: TestMessage;
  /** One for each site. */
  readonly sites: readonly MailSettings[];
  /** How long the key before stays, inactive. */
  readonly soakMinutes: number;
  /** How long a request that began before a change may still log in as before: OpenEMR reads its settings when one begins. */
  readonly settleSeconds: number;
  readonly wait: (seconds: number, signal: AbortSignal) => Promise<void>;
  readonly progress: ReportProgress;
  readonly warn: (message: string) => void;
  readonly signal: AbortSignal;
  readonly now: () => Date;
}

export type SmtpStep =
  | "createKey"
  | "storePassword"
  | "logIn"
  | "writeIntoOpenEmr"
  | "sendTestMessage"
  | "makePasswordCurrent"
  | "deactivateKey"
  | "lookAgain"
  | "deleteKey";

/** What would be done, or was. */
export interface SmtpRotationPlan {
  /** Nothing of it where no site of OpenEMR sends by SMTP with a key of this user. */
  readonly steps: readonly SmtpStep[];
  /** The key that the sites use now. */
  readonly accessKeyId: string;
  readonly sites: readonly string[];
  readonly warnings: readonly string[];
}

export interface RotatedSmtp {
  readonly accessKeyId: string;
  /** The key before; `undefined` on the run that only ended another one, where it is gone. */
  readonly previous?: string;
  /** Sites whose settings hold the new credentials. */
  readonly writtenTo: readonly string[];
  /** Sites whose settings somebody had put back meanwhile. */
  readonly healed: readonly string[];
  readonly testMessageId?: string;
  /** `soaking`: the key before is inactive and still there, until `soakEnds`. */
  readonly state: "soaking" | "done";
  readonly soakEnds?: string;
  readonly steps: readonly SmtpStep[];
}
