import { NotificationUnavailableError } from "@openemr-ops/core/errors";
import { figureWords } from "@openemr-ops/core/format";
import { ulidPattern } from "@openemr-ops/core/ids";
import { hookProblem, type JobRecord } from "@openemr-ops/core/jobs";
import { type Channel, type ChannelFilter, type Notice, wantedBy } from "./channel.ts";
import { type Answer, type HttpTransport, isBusy, secretUrl, send } from "./httpRequest.ts";

export const pingMoments = ["start", "success", "failure"] as const;
export type PingMoment = (typeof pingMoments)[number];

/** Where one check of a monitor is pinged. */
export interface PingAddresses {
  /** Those that have an address. */
  readonly moments: ReadonlySet<PingMoment>;
  /** `log` records a message and leaves the check as it is. Answers nothing where the moment has no address. */
  readonly at: (moment: PingMoment | "log") => Promise<string | undefined>;
  /** Requests follow the habits of healthchecks.io; not set, an address is requested as it is. */
  readonly paths: boolean;
}

/** Source: healthchecks.io/docs/http_api. */
const paths = { start: "/start", success: "", failure: "/fail", log: "/log" } as const;

/** A ULID's 128 bits in the form of a UUID: a monitor pairs the start with the end by it. */
export const uuidOf = (ulid: string): string | undefined => {
  if (!ulidPattern.test(ulid)) return undefined;
  const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  const bits = [...ulid].reduce((sum, letter) => sum * 32n + BigInt(letters.indexOf(letter)), 0n);
  return bits
    .toString(16)
    .padStart(32, "0")
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
};

/** What a monitor shows beside a ping. Bytes; monitors keep 10 KB or more. */
const longestBody = 2000;

const bodyOf = (record: JobRecord): string => {
  const { kind, installation, status, error, figures = {} } = record;
  const problem = hookProblem(record);
  const lines = [
    `${kind} of ${installation}: ${status}`,
    ...(error ? [`${error.name}: ${error.message}`] : []),
    ...(problem === undefined ? [] : [`the hook after it: ${problem}`]),
    ...Object.entries(figures).map(([name, value]) => figureWords(name, value)),
  ];
  return lines.join("\n").slice(0, longestBody);
};

const momentOf = ({ occasions }: Notice): PingMoment =>
  occasions.includes("failure") ? "failure" : occasions.includes("start") ? "start" : "success";

const read = (status: number): Answer<undefined> => {
  const code = `HTTP status ${status}`;
  if (status >= 200 && status < 300) return { kind: "taken", value: undefined };
  return isBusy(status) ? { kind: "later", code } : { kind: "refused", code };
};

/** healthchecks.io answers 200 for a check that it does not know, and for pings that it drops. Source: as above. */
const readWords = (status: number, body: string): Answer<undefined> => {
  const answer = read(status);
  const code = body.trim();
  if (answer.kind !== "taken") return answer;
  if (code === "OK (not found)") return { kind: "refused", code };
  return code === "OK (rate limited)" ? { kind: "later", code } : answer;
};

/**
 * Pings one check of a monitor, which notices missing pings too.
 *
 * @param index among `notifications.ping`
 */
export const pingChannel = (
  index: number,
  filter: ChannelFilter,
  { addresses, transport }: { readonly addresses: PingAddresses; readonly transport: () => HttpTransport },
): Channel => {
  const field = `notifications.ping[${index}]`;
  const ping = async (moment: PingMoment | "log", body: string, jobId?: string): Promise<void> => {
    const address = await addresses.at(moment);
    if (address === undefined) return;
    const url = secretUrl(address, "what the secret contains", field, "private network");
    if (addresses.paths) url.pathname = url.pathname.replace(/\/$/, "") + paths[moment];
    const rid = jobId === undefined ? undefined : uuidOf(jobId);
    if (addresses.paths && rid !== undefined) url.searchParams.set("rid", rid);
    const request = {
      receiver: "the monitor",
      purpose: `accept a ping (${field})`,
      url: url.href,
      headers: { "content-type": "text/plain; charset=utf-8" },
      read: addresses.paths ? readWords : read,
      advice: () => "put the address that the monitor shows for this check into the secret",
      unavailable: (message: string) => new NotificationUnavailableError(message),
    };
    await send(addresses.paths ? { ...request, body } : { ...request, headers: {} }, transport());
  };
  const asked = wantedBy(filter);
  return {
    field,
    wants: (notice) => asked(notice) && addresses.moments.has(momentOf(notice)),
    send: (notice) => ping(momentOf(notice), bodyOf(notice.record), notice.record.jobId),
    test: async () => {
      if (addresses.paths) {
        await ping("log", "This is a test; it does not change the state of the check.");
        return "as a message in its log; the state of the check is as it was";
      }
      await ping("success", "");
      return (await addresses.at("success")) === undefined
        ? "has no successUrl, so that nothing was sent"
        : "counts as a success there";
    },
  };
};
