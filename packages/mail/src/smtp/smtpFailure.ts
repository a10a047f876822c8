import {
  MailLoginRefusedError,
  MailRejectedError,
  MailServerUnavailableError,
  type OpsError,
} from "@openemr-ops/core/errors";

/** What the mail library throws; all of it may be absent. */
export interface SmtpFailure {
  readonly code?: string;
  /** The server's answer, as a number. */
  readonly responseCode?: number;
  /** Its words. */
  readonly response?: string;
  readonly message?: string;
}

const longestWords = 300;

/** The server's words, without addresses: they name people. */
const wordsOf = ({ response, message }: SmtpFailure): string =>
  (response ?? message ?? "no answer")
    .replace(/<?[^\s<>"'`(),;:]+@[^\s<>"'`(),;:]+>?/g, "(address)")
    .slice(0, longestWords);

/** What a person looks at, in words that follow a semicolon. */
export interface SmtpAdvice {
  readonly login: string;
  readonly message: string;
}

/** For a login that is an access key of SES. */
const ofAccessKeys: SmtpAdvice = {
  login: "look whether that access key is active, and whether its password is that of the server's region",
  message: "look at the sender's identity, at the rights of the user whose access key this is, and at the recipient",
};

/**
 * Names a failure by what the server answered. Only an answer to a login says that a login is refused; every 4xx says that it is busy.
 *
 * @param server for the message, such as `email-smtp.eu-central-1.amazonaws.com:587`
 */
export const nameSmtpFailure = (
  failure: SmtpFailure,
  server: string,
  user: string,
  advice: SmtpAdvice = ofAccessKeys,
): OpsError => {
  const { code, responseCode = 0 } = failure;
  const options = { cause: failure };
  if (responseCode >= 400 && responseCode < 500)
    return new MailServerUnavailableError(
      `the SMTP server ${server} is busy (${wordsOf(failure)}); try again later`,
      options,
    );
  if (code === "EAUTH" || code === "ENOAUTH")
    return new MailLoginRefusedError(
      `the SMTP server ${server} refuses the login of ${user} (${wordsOf(failure)}); ${advice.login}`,
      options,
    );
  if (responseCode >= 500 && code !== "ETLS")
    return new MailRejectedError(
      `the SMTP server ${server} refuses the message (${wordsOf(failure)}); ${advice.message}`,
      options,
    );
  const reason =
    code === "ETLS"
      ? `offers no TLS that can be trusted (${wordsOf(failure)}); look at port, tls and caFile`
      : `cannot be reached (${wordsOf(failure)}); look at its name and port, and whether this network lets that port through`;
  return new MailServerUnavailableError(`the SMTP server ${server} ${reason}`, options);
};
