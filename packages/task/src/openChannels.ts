import { hostname } from "node:os";
import { setTimeout } from "node:timers/promises";
import type { NotificationSettings } from "@openemr-ops/core/config/settings";
import { RetryableError } from "@openemr-ops/core/errors";
import { ulid } from "@openemr-ops/core/ids";
import type { JobRecord } from "@openemr-ops/core/jobs";
import { noticeServer } from "@openemr-ops/mail/smtp/noticeServer";
import type { Channel } from "@openemr-ops/notifications/channel";
import { commandChannel } from "@openemr-ops/notifications/commandChannel";
import { httpTransport } from "@openemr-ops/notifications/httpRequest";
import type { MailText } from "@openemr-ops/notifications/jobMail";
import type { Origin } from "@openemr-ops/notifications/jobWords";
import { mailChannel } from "@openemr-ops/notifications/mailChannel";
import { openSlack } from "@openemr-ops/notifications/openSlack";
import { type PingAddresses, pingChannel, pingMoments } from "@openemr-ops/notifications/pingChannel";
import { slackChannel } from "@openemr-ops/notifications/slackChannel";
import { openSecrets } from "./openSecrets.ts";
import type { Place } from "./program.ts";
import { runAttached } from "./runAttached.ts";
import { slackAccess } from "./slackAccess.ts";

type Notifications = NotificationSettings["notifications"];
type Of<
  Name extends keyof Notifications,
  Value = NonNullable<Notifications[Name]>,
> = Value extends readonly (infer One)[] ? One : Value;

export interface ChannelSurroundings extends Pick<Place, "environment" | "now" | "warn" | "note"> {
  /** Time limit for one message of one channel, retries included: a job's end waits for it. 20 when not set. */
  readonly budgetSeconds?: number;
}

/** Sends until the server accepts the message or refuses it, or time is up. */
const mailBy =
  (email: Of<"email">, { environment, budgetSeconds = 20 }: ChannelSurroundings) =>
  async ({ subject, text }: MailText): Promise<void> => {
    const { from, to, login } = email;
    const secret = login && (await openSecrets(environment)(login.password));
    const server = noticeServer(
      email,
      login && secret !== undefined ? { user: login.user, password: secret } : undefined,
    );
    const signal = AbortSignal.timeout(budgetSeconds * 1000);
    for (let wait = 1000; ; wait *= 2) {
      try {
        return await server.send({ from, to, subject, text }, signal);
      } catch (error) {
        if (!(error instanceof RetryableError) || signal.aborted) throw error;
        await setTimeout(wait, undefined, { signal }).catch(() => {
          throw error;
        });
      }
    }
  };

const addressesOf = (address: Of<"ping">["address"], { environment }: ChannelSurroundings): PingAddresses => {
  const read = openSecrets(environment);
  if (address.kind === "one") return { paths: true, moments: new Set(pingMoments), at: () => read(address.one) };
  return {
    paths: false,
    moments: new Set(pingMoments.filter((moment) => address[moment] !== undefined)),
    at: async (moment) => {
      const reference = moment === "log" ? undefined : address[moment];
      return reference && read(reference);
    },
  };
};

const slackBy = (slack: Of<"slack">, origin: Origin, surroundings: ChannelSurroundings): Channel => {
  const { warn, budgetSeconds = 20 } = surroundings;
  const open = async () => openSlack(await slackAccess(slack, surroundings), httpTransport(budgetSeconds));
  return slackChannel({ origin, warn, open });
};

/** The channels of a configuration. Each secret is read when a message is sent; nothing is opened before. */
export const openChannels = (
  { slack, email, ping = [], command }: Notifications,
  surroundings: ChannelSurroundings,
): readonly Channel[] => {
  const { now, note, budgetSeconds = 20 } = surroundings;
  const machine = hostname();
  const origin: Origin = { machine };
  const moment = now().toISOString();
  const testRecord: JobRecord = {
    jobId: ulid(now()),
    kind: "test",
    installation: machine,
    status: "succeeded",
    dryRun: false,
    requestedAt: moment,
    startedAt: moment,
    endedAt: moment,
  };
  return [
    ...(slack ? [slackBy(slack, origin, surroundings)] : []),
    ...(email ? [mailChannel(email, { mail: mailBy(email, surroundings), origin })] : []),
    ...ping.map(({ address, ...filter }, index) =>
      pingChannel(index, filter, {
        addresses: addressesOf(address, surroundings),
        transport: () => httpTransport(budgetSeconds),
      }),
    ),
    ...(command
      ? [
          commandChannel(command, {
            run: (record) => runAttached(command, "notifications.command", record, note ? { note } : {}),
            testRecord,
          }),
        ]
      : []),
  ];
};
