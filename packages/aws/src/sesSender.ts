import { SESv2Client, SESv2ServiceException, SendEmailCommand } from "@aws-sdk/client-sesv2";
import {
  MailRejectedError,
  MailServerUnavailableError,
  MailTooLargeError,
  type OpsError,
} from "@openemr-ops/core/errors";
import { controlPlaneFailure } from "./controlPlaneFailure.ts";
import { onFirstUse } from "./onFirstUse.ts";

export interface SesSenderSettings {
  readonly region: string;
  readonly client?: Pick<SESv2Client, "send">;
}

/** What to do, by SES's error. Source: Amazon SES API v2 reference, SendEmail. */
const refusals: Readonly<Record<string, string>> = {
  AccountSuspendedException: "ask AWS why the account may not send",
  BadRequestException: "look at the message's headers and at the targets",
  MailFromDomainNotVerifiedException: "verify the MAIL FROM domain in SES",
  MessageRejected: "verify the sender's domain in SES, and leave the sandbox to send to others",
  NotFoundException: "create the configuration set that the message names",
  SendingPausedException: "find out in SES why sending is paused, and resume it",
};
const busy = new Set(["LimitExceededException", "TooManyRequestsException"]);

/** SES's own text may quote addresses, so that only its error's name goes on. */
const failure = (error: unknown): OpsError => {
  const options = { cause: error };
  if (!(error instanceof SESv2ServiceException))
    return controlPlaneFailure(error, "sending by SES", "ses:SendRawEmail");
  const { name, message, $metadata } = error;
  if (busy.has(name))
    return new MailServerUnavailableError(`SES asks for patience (${name}); it is sent later`, options);
  if ($metadata.httpStatusCode === 413 || (name in refusals && /\b(length|size|too large)\b/i.test(message)))
    return new MailTooLargeError(`SES refuses a message of this size (${name})`, options);
  const advice = refusals[name];
  if (advice) return new MailRejectedError(`SES refuses to send the message (${name}): ${advice}`, options);
  return controlPlaneFailure(error, "sending by SES", "ses:SendRawEmail");
};

/** A connection that was idle may be closed by now, and a single attempt would find out too late. */
const ownConnection = { httpAgent: { keepAlive: false }, httpsAgent: { keepAlive: false } };

/**
 * Sends messages as they are, to the envelope's targets alone. One attempt: an answer that was lost may be one of a message
 * that was sent, so whoever asks decides about the next.
 *
 * @throws {MailTooLargeError} refused
 * @throws {MailRejectedError} fatal: the sender, a recipient or the message
 * @throws {MailServerUnavailableError} retryable
 */
export const sesSender = ({ region, ...settings }: SesSenderSettings) => {
  const client = onFirstUse(
    () =>
      settings.client ??
      new SESv2Client({
        region,
        maxAttempts: 1,
        requestHandler: {
          ...ownConnection,
          connectionTimeout: 3_000,
          requestTimeout: 40_000,
          throwOnRequestTimeout: true,
        },
      }),
  );
  return {
    send: async (raw: Buffer, { from, to }: { readonly from: string; readonly to: readonly string[] }) => {
      try {
        const { MessageId } = await client().send(
          new SendEmailCommand({
            FromEmailAddress: from,
            Destination: { ToAddresses: [...to] },
            Content: { Raw: { Data: raw } },
          }),
        );
        return MessageId ?? "";
      } catch (error) {
        throw failure(error);
      }
    },
  };
};
