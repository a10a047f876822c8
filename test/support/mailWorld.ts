import type { AccessKey, AccessKeys } from "@openemr-ops/core/accessKeys";
import { AccessKeyError, MailLoginRefusedError, MailServerUnavailableError } from "@openemr-ops/core/errors";
import type { TextParameter } from "@openemr-ops/core/textParameter";
import { sesSmtpPasswordOf } from "@openemr-ops/local/servers/sesSmtp";
import type { MailServer, SmtpRotation } from "@openemr-ops/mail/rotation/smtpRotation";
import type { MailQueue, MailSettings, SiteMail, SmtpLogin } from "@openemr-ops/mail/settings/mailSettings";
import { manualClock } from "./manualClock.ts";
import { memoryStoredSecret } from "./memoryStoredSecret.ts";

/** How long a request of OpenEMR may use the login that it read when it began. */
const requestSeconds = 8;

export const homeRegion = "eu-central-1";

interface KeptKey extends AccessKey {
  readonly secret: string;
  /** As the server derives it. */
  readonly password: string;
  readonly changedAt: number;
}

/** A site's settings; a test changes them as an administration page does. */
export interface KeptSite {
  mail: SiteMail;
  queue: MailQueue;
  /** As another writer would, between what is read and what is written. */
  beforeReplace?: () => void;
}

/** A user's keys, an SMTP server that learns of them late and machine by machine, secrets, and sites, all in memory. */
export const aMailWorld = ({
  spreadSeconds = 20,
  machines = 4,
  sites: names = ["default", "north"],
  firstIsCurrent = false,
}: {
  readonly spreadSeconds?: number;
  readonly machines?: number;
  readonly sites?: readonly string[];
  /** The stores make the first version of a secret the current one at once. */
  readonly firstIsCurrent?: boolean;
} = {}) => {
  const clock = manualClock();
  const time = () => clock.now().getTime();
  let keys: readonly KeptKey[] = [];
  let made = 0;
  let most = 0;
  const used = new Map<string, Date>();
  const gone = new Map<string, KeptKey>();

  const addKey = (active = true, changedAt = Number.NEGATIVE_INFINITY): KeptKey => {
    made++;
    const id = `AKIA${String(made).padStart(16, "0")}`;
    const created = new Date(Math.floor(time() / 1000) * 1000);
    const secret = `secret+of/key${made}`;
    const key = { id, secret, password: sesSmtpPasswordOf(secret, homeRegion), active, created, changedAt };
    keys = [...keys, key];
    most = Math.max(most, keys.length);
    return key;
  };
  const change = (id: string, fields: Partial<KeptKey>) => {
    keys = keys.map((key) => (key.id === id ? { ...key, ...fields } : key));
  };
  const accessKeys: AccessKeys = {
    name: "IAM user ses-smtp-user",
    list: async () => keys.map(({ id, active, created }) => ({ id, active, created })),
    create: async () => {
      if (keys.length >= 2) throw new AccessKeyError("IAM user ses-smtp-user has two access keys; delete one");
      return addKey(true, time());
    },
    setActive: async (id, active) => {
      if (!keys.some((key) => key.id === id)) throw new AccessKeyError(`no access key ${id}`);
      if (keys.some((key) => key.id === id && key.active !== active)) change(id, { active, changedAt: time() });
    },
    remove: async (id) => {
      for (const key of keys.filter((one) => one.id === id)) gone.set(id, { ...key, active: false, changedAt: time() });
      keys = keys.filter((key) => key.id !== id);
    },
    lastUsed: async (id) => used.get(id),
  };

  const opensOn = (machine: number, { user, password }: SmtpLogin): boolean => {
    const key = keys.find(({ id }) => id === user) ?? gone.get(user);
    if (key?.password !== password) return false;
    const delay = (spreadSeconds * 1000 * (machine + 1)) / machines;
    return time() - key.changedAt >= delay === key.active;
  };
  let turn = 0;
  let logins = 0;
  const down: Error[] = [];
  const sent: { readonly id: string; readonly user: string }[] = [];
  const check = (login: SmtpLogin): void => {
    logins++;
    const planned = down.shift();
    if (planned) throw planned;
    if (!opensOn(++turn % machines, login)) throw new MailLoginRefusedError(`refused: ${login.user}`);
  };
  const server: MailServer = {
    name: "127.0.0.1:2587",
    logIn: async (login) => check(login),
    send: async (login) => {
      check(login);
      const id = `message-${sent.length + 1}`;
      sent.push({ id, user: login.user });
      return id;
    },
  };

  const kept = new Map<string, KeptSite>(
    names.map((site) => [
      site,
      {
        mail: { method: "SMTP", host: "127.0.0.1", port: 2587, secure: "tls", user: "", password: "" },
        queue: { sent: 0, failed: 0, waiting: 0 },
      },
    ]),
  );
  const siteOf = (site: string): KeptSite => {
    const found = kept.get(site);
    if (!found) throw new Error(`no site ${site}`);
    return found;
  };
  const settingsOf = (site: string): MailSettings => ({
    site,
    read: async () => siteOf(site).mail,
    replace: async (before, after) => {
      siteOf(site).beforeReplace?.();
      const { mail } = siteOf(site);
      if (mail.user !== before.user || mail.password !== before.password) return false;
      if (worksEverywhere(before))
        underWay = [...underWay, { site, login: before, until: time() + requestSeconds * 1000 }];
      siteOf(site).mail = { ...mail, user: after.user, password: after.password };
      return true;
    },
    queueSince: async () => siteOf(site).queue,
  });

  const worksEverywhere = (login: SmtpLogin): boolean =>
    keys.some(({ id, active }) => id === login.user && active) &&
    Array.from({ length: machines }, (_, machine) => opensOn(machine, login)).every(Boolean);
  let underWay: readonly { readonly site: string; readonly login: SmtpLogin; readonly until: number }[] = [];
  const stillUnderWay = () => {
    underWay = underWay.filter(({ until }) => time() < until);
    return underWay;
  };

  const loginOf = ({ id, password }: KeptKey): SmtpLogin => ({ user: id, password });
  const giveAll = (login: SmtpLogin) => {
    for (const site of kept.values()) site.mail = { ...site.mail, ...login };
  };
  const first = addKey();
  giveAll(loginOf(first));

  const storeOf = (field: string): ReturnType<typeof memoryStoredSecret> => {
    const store = memoryStoredSecret(field);
    const writePending: typeof store.writePending = async (text) => {
      const version = await store.writePending(text);
      if (store.kept().length === 1) await store.makeCurrent(version);
      return version;
    };
    return firstIsCurrent ? { ...store, writePending } : store;
  };
  const secret = storeOf("rotations.smtp.secret");
  const secretAccessKey = storeOf("rotations.smtp.inStep.secretAccessKey");
  let parameter: string | undefined;
  const userParameter: TextParameter = {
    field: "rotations.smtp.inStep.userParameter",
    read: async () => parameter,
    write: async (text) => {
      parameter = text;
    },
  };
  const warnings: string[] = [];
  const rotation: SmtpRotation = {
    accessKeys,
    secret,
    inStep: { secretAccessKey, userParameter },
    regions: [homeRegion, "us-east-1"],
    server,
    testMessage: { from: "notifications@example.org", to: "success@simulator.amazonses.com" },
    sites: names.map(settingsOf),
    soakMinutes: 0,
    settleSeconds: 10,
    wait: async (seconds) => clock.advance(seconds),
    progress: () => {},
    warn: (warning) => warnings.push(warning),
    signal: new AbortController().signal,
    now: clock.now,
  };

  return {
    rotation,
    clock,
    warnings,
    sent,
    used,
    secret,
    secretAccessKey,
    parameter: () => parameter,
    site: siteOf,
    keys: () => keys,
    mostKeys: () => most,
    logins: () => logins,
    first: loginOf(first),
    addKey,
    change,
    loginOf,
    giveAll,
    /** The next answers of the server, whoever logs in. */
    failNext: (...errors: readonly Error[]) => void down.push(...errors),
    unavailable: () => new MailServerUnavailableError("the SMTP server asks for patience"),
    /**
     * Sites whose login some machine of the server would refuse now, or whose key is not active; and those of which a request that
     * began with the login before would be refused.
     */
    cutOff: (): readonly string[] => [
      ...[...kept].flatMap(([site, { mail }]) => (mail.method !== "SMTP" || worksEverywhere(mail) ? [] : [site])),
      ...stillUnderWay().flatMap(({ site, login }) => (worksEverywhere(login) ? [] : [`a request of ${site}`])),
    ],
  };
};

export type MailWorld = ReturnType<typeof aMailWorld>;
