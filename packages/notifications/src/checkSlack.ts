import { InvalidInputError } from "@openemr-ops/core/errors";
import type { HttpTransport } from "./httpRequest.ts";
import { authorOf, type SlackAccess } from "./openSlack.ts";

/** Path of an incoming webhook: workspace, app, secret. */
const webhookPath = /^\/services\/[^/]+\/[^/]+\/[^/]+$/;

/**
 * Checks a token with Slack's `auth.test`, and of a webhook the form of its address. Posts nothing. No error contains the secret.
 *
 * @returns a remark, or nothing
 * @throws {InvalidInputError} fatal: an address that is none of a webhook, or a token that cannot be one
 * @throws {NotificationRefusedError} fatal: Slack does not know the token
 * @throws {ControlPlaneUnavailableError} retryable
 */
export const checkSlack = async (access: SlackAccess, transport: HttpTransport): Promise<string | undefined> => {
  if (access.kind === "bot") {
    await authorOf(access, transport);
    return undefined;
  }
  const url = URL.parse(access.url);
  if (url?.protocol === "https:" && url.username === "" && webhookPath.test(url.pathname))
    return "its form alone was checked; the webhook was not tried, since that would post a message";
  const message = "the secret does not contain a webhook; expected https://hooks.slack.com/services/…";
  throw new InvalidInputError([{ path: "notifications.slack", message }]);
};
