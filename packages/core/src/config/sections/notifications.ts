import * as z from "zod";
import { valueAt } from "../fieldPath.ts";
import * as field from "../fields.ts";
import { jobNames } from "../jobNames.ts";
import { type Complain, complain, onAnyObject } from "../rules.ts";
import { section } from "../section.ts";
import { strict } from "../strict.ts";
import { commandShape } from "./hooks.ts";

const twice = (name: string) => `say either ${name} or ${name}File, not both`;

const slack = section(
  strict({
    ...field.postingSecretOf("webhook", "address"),
    ...field.postingSecretOf("botToken", "token"),
    /** The channel's identifier, such as `C0123456789`. */
    channel: field.slackChannel.optional(),
  }).superRefine((written, context) => {
    for (const name of ["webhook", "botToken"] as const)
      if (written[name] !== undefined && written[`${name}File`] !== undefined) complain(context, [name], twice(name));
    const webhook = written.webhook ?? written.webhookFile;
    const botToken = written.botToken ?? written.botTokenFile;
    const { channel } = written;
    if (webhook !== undefined && botToken !== undefined)
      complain(context, ["webhook"], "say either webhook, or botToken and channel, not both");
    else if (webhook === undefined && botToken === undefined)
      complain(context, ["webhook"], "expected env:NAME or a secret's ARN here, or botToken and channel");
    if (botToken !== undefined && channel === undefined)
      complain(context, ["channel"], "is missing; a bot posts to a channel's identifier, such as C0123456789");
    if (webhook !== undefined && channel !== undefined)
      complain(context, ["channel"], "is for a botToken; a webhook has its channel");
  }, onAnyObject),
  ({ webhook: webhookReference, webhookFile, botToken: tokenReference, botTokenFile, channel, ...rest }) => {
    const webhook = webhookReference ?? webhookFile;
    const botToken = tokenReference ?? botTokenFile;
    if (webhook) return { ...rest, kind: "webhook" as const, webhook };
    if (botToken && channel !== undefined) return { ...rest, kind: "bot" as const, botToken, channel };
    throw new TypeError("the schema lets nothing else pass");
  },
  "webhookFile",
  "botTokenFile",
);

/** Which jobs a channel is for; not set, all. */
const whichJobs = {
  kinds: field
    .someOf(z.enum(jobNames, { error: `expected ${jobNames.join(", ")}` }), "kinds of jobs, such as dump")
    .optional(),
  installations: field.someOf(field.identifier, "identifiers of installations").optional(),
};

const mailPorts = { starttls: 587, implicit: 465, none: 25 } as const;
const tlsOfPort: Readonly<Record<number, keyof typeof mailPorts>> = { 465: "implicit", 2465: "implicit" };
const thisMachine = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/;

/** A mail provider, or a relay of one's own. */
const email = section(
  strict({
    host: field.host,
    /** Not set: 587; 465 with `tls` `implicit`, 25 with `none`. */
    port: field.port.optional(),
    /** Not set: what the port usually has. */
    tls: field.mailTls.optional(),
    /** PEM file of the authorities to trust; without it the system's. */
    caFile: field.caFile.optional(),
    /** Not set: the server asks for no login. */
    user: field.userName.optional(),
    ...field.secretOf("password"),
    from: field.emailAddress,
    to: field.someOf(field.emailAddress, "e-mail addresses"),
    on: field.occasionList.default(["failure", "recovery"]),
    ...whichJobs,
  }).superRefine(({ host, tls, user, password, passwordFile, caFile }, context) => {
    if (password !== undefined && passwordFile !== undefined) complain(context, ["password"], twice("password"));
    const hasPassword = password !== undefined || passwordFile !== undefined;
    if (user !== undefined && !hasPassword)
      complain(context, ["passwordFile"], "expected a file that holds the password, env:NAME or a secret's ARN");
    if (user === undefined && hasPassword)
      complain(context, ["user"], "is missing; expected the user whose password it is");
    if (tls !== "none") return;
    if (caFile !== undefined) complain(context, ["caFile"], 'has no use with tls "none"; leave it out');
    if (user !== undefined && !(typeof host === "string" && thisMachine.test(host)))
      complain(context, ["tls"], "is none: the password would cross the network unencrypted; say starttls or implicit");
  }, onAnyObject),
  ({ port: written, tls: writtenTls, user, password, passwordFile, ...rest }) => {
    const tls = writtenTls ?? (written === undefined ? undefined : tlsOfPort[written]) ?? "starttls";
    const secret = password ?? passwordFile;
    const login = user !== undefined && secret ? { user, password: secret } : undefined;
    return { ...rest, tls, port: written ?? mailPorts[tls], login };
  },
  "user",
  "password",
  "passwordFile",
);

const pingAddresses = ["start", "success", "failure"] as const;
const ownAddresses = {
  ...field.postingSecretOf("startUrl", "address"),
  ...field.postingSecretOf("successUrl", "address"),
  ...field.postingSecretOf("failureUrl", "address"),
};

/** One check of a monitor that expects pings: it notices too that none came. */
const ping = section(
  strict({
    /** With the habits of healthchecks.io: `/start` and `/fail` below it, and the job's identifier. */
    ...field.postingSecretOf("url", "address"),
    /** Addresses that are requested as they are. */
    ...ownAddresses,
    on: field
      .someOf(z.enum(pingAddresses, { error: "expected start, success or failure" }), "start, success or failure")
      .default([...pingAddresses]),
    ...whichJobs,
  }).superRefine((written, context) => {
    const has = (name: "url" | `${(typeof pingAddresses)[number]}Url`): boolean => {
      const both = [written[name], written[`${name}File`]].filter((one) => one !== undefined);
      if (both.length > 1) complain(context, [name], twice(name));
      return both.length > 0;
    };
    const own = pingAddresses.filter((name) => has(`${name}Url`));
    const one = has("url");
    if (one && own.length > 0) complain(context, ["url"], `say either url, or ${own[0]}Url and the like, not both`);
    if (!one && own.length === 0)
      complain(context, ["urlFile"], "is missing; expected a file with the address, env:NAME or a secret's ARN");
  }, onAnyObject),
  ({ url, urlFile, startUrl, startUrlFile, successUrl, successUrlFile, failureUrl, failureUrlFile, ...rest }) => {
    const [one, start, success, failure] = [
      url ?? urlFile,
      startUrl ?? startUrlFile,
      successUrl ?? successUrlFile,
      failureUrl ?? failureUrlFile,
    ];
    const own = { ...(start ? { start } : {}), ...(success ? { success } : {}), ...(failure ? { failure } : {}) };
    return { ...rest, address: one ? { kind: "one" as const, one } : { kind: "own" as const, ...own } };
  },
  "url",
  "urlFile",
  "startUrl",
  "startUrlFile",
  "successUrl",
  "successUrlFile",
  "failureUrl",
  "failureUrlFile",
);

const command = strict({
  ...commandShape,
  on: field.occasionList.default(["failure", "recovery"]),
  ...whichJobs,
});

/** Where people are notified of alarms: failures that no job can report. */
const alarms = strict({
  /** Each address gets a message of AWS first, with a link to confirm. */
  email: field.someOf(field.emailAddress, "e-mail addresses").optional(),
  /** Not set: true where `notifications.slack` is. */
  slack: z.boolean({ error: "expected true or false" }).optional(),
});

/** Where people are notified of jobs and of alarms. */
export const notifications = section(
  strict({
    slack: slack.schema.optional(),
    email: email.schema.optional(),
    /** One for each check of the monitor. */
    ping: field.someOf(ping.schema, "checks, each with urlFile").optional(),
    command: command.optional(),
    alarms: alarms.optional(),
  }).superRefine((written, context) => {
    if (valueAt(written, ["alarms", "slack"]) === true && written.slack === undefined)
      complain(context, ["alarms", "slack"], "needs notifications.slack, which is missing");
  }, onAnyObject),
  ({ slack: writtenSlack, email: writtenEmail, ping: pings, ...rest }) => ({
    ...rest,
    ...(writtenSlack ? { slack: slack.settle(writtenSlack) } : {}),
    ...(writtenEmail ? { email: email.settle(writtenEmail) } : {}),
    ...(pings ? { ping: pings.map((one) => ping.settle(one)) } : {}),
  }),
);

/** A channel is for installations that there are. */
export const notifiedInstallations = (settings: unknown, context: Complain): void => {
  const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
  const ids = list(valueAt(settings, ["installations"])).map((one) => valueAt(one, ["id"]));
  const pings = list(valueAt(settings, ["notifications", "ping"])).map((_, index) => ["ping", index]);
  for (const channel of [["email"], ["command"], ...pings]) {
    const path = ["notifications", ...channel, "installations"];
    for (const [index, id] of list(valueAt(settings, path)).entries())
      if (typeof id === "string" && !ids.includes(id))
        complain(context, [...path, index], `is no installation of this configuration; expected ${ids.join(", ")}`);
  }
};
