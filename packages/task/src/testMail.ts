import { mailServer } from "@openemr-ops/mail/smtp/mailServer";
import { type TestedMail, testMail as test } from "@openemr-ops/mail/testMail";
import type { Place } from "./program.ts";
import { mailOfSites } from "./programs/mailContext.ts";
import { requirePart } from "./programs/rotationContext.ts";

/** Where the test went, and its result for each site. */
export interface MailTestResult {
  /** Host and port. */
  readonly server: string;
  readonly sites: readonly TestedMail[];
}

/** Sends a test message with the login of each site. Changes nothing. @param to not set, as the configuration says */
export const testMail = async (
  place: Place,
  { to }: { readonly to?: string | undefined } = {},
): Promise<MailTestResult> => {
  const { server: address, testMessage } = requirePart(place, "smtp");
  const server = mailServer(address);
  const message = { ...testMessage, ...(to === undefined ? {} : { to }) };
  const sites = await test({ sites: await mailOfSites(place), server, message, signal: place.signal });
  return { server: server.name, sites };
};
