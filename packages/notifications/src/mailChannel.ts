import { type Channel, type ChannelFilter, wantedBy } from "./channel.ts";
import { jobMail, type MailText, testMessage } from "./jobMail.ts";
import type { Origin } from "./jobWords.ts";

/** E-mail. `mail` sends one message to everybody within a time limit. */
export const mailChannel = (
  filter: ChannelFilter,
  { mail, origin }: { readonly mail: (message: MailText) => Promise<void>; readonly origin: Origin },
): Channel => ({
  field: "notifications.email",
  wants: wantedBy(filter),
  send: (notice) => mail(jobMail(notice, origin)),
  test: async () => {
    await mail(testMessage(origin));
    return undefined;
  },
});
