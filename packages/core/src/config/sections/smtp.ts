import type * as z from "zod";
import { valueAt } from "../fieldPath.ts";
import * as field from "../fields.ts";
import type { Resolved } from "../references.ts";
import { type Complain, complain, onAnyObject } from "../rules.ts";
import { strict } from "../strict.ts";

/** Source: docs.aws.amazon.com/ses/latest/dg/smtp-connect.html. What a port does not speak hangs until a time limit. */
const tlsOfPort: Readonly<Record<number, "starttls" | "implicit">> = {
  25: "starttls",
  587: "starttls",
  2587: "starttls",
  465: "implicit",
  2465: "implicit",
};

const thisMachine = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/;

/** SES's own endpoint, by whose region passwords are derived. */
const sesEndpoint = /^email-smtp(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/;

const endpointOf = (region: string): string =>
  `email-smtp.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;

const portRules = (
  { host, port = 587, tls }: { readonly host?: unknown; readonly port?: unknown; readonly tls?: unknown },
  context: Complain,
): void => {
  if (typeof port !== "number") return;
  const known = tlsOfPort[port];
  if (known === undefined && typeof host === "string" && !thisMachine.test(host))
    complain(context, ["port"], "is no port of SMTP with TLS; expected 587, 2587 or 25, or 465 or 2465 with implicit");
  if (known !== undefined && tls !== undefined && tls !== known)
    complain(context, ["tls"], `has to be ${known} on port ${port}; the other hangs until a time limit`);
};

/** OpenEMR's login at an SMTP server that takes passwords derived from access keys, as Amazon SES does. */
export const smtp = strict({
  /** Whose access keys the passwords are derived from. */
  iamUser: field.iamUserName,
  /** JSON with `username` and `password`, and what is under way. */
  secret: field.writtenSecret("the login of the SMTP server"),
  /** Of SES, where OpenEMR's mail goes out. */
  region: field.awsRegionName,
  /** Further regions of SES whose passwords other programs read in the secret. */
  otherRegions: field.someOf(field.awsRegionName, "regions of AWS").optional(),
  /** Not set: SES's endpoint of the region, port 587. */
  server: strict({
    host: field.host,
    port: field.port.optional(),
    /** Not set: what the port speaks. */
    tls: field.smtpTls.optional(),
    /** PEM file of the authorities to trust; without it the system's. */
    caFile: field.caFile.optional(),
  })
    .superRefine(portRules, onAnyObject)
    .optional(),
  /** It is sent with the new login before the login becomes the current one. */
  testMessage: strict({ from: field.emailAddress, to: field.emailAddress }),
  /** How long the key before stays, inactive, until it is deleted. */
  soakMinutes: field.soakMinutes.default(1440),
  /** How long a request of OpenEMR that began before a change may still log in as before. */
  settleSeconds: field.settleSeconds.default(10),
  /** Where other programs read what this rotation changes. */
  inStep: strict({
    /** JSON with the secret of the access key under `password`. */
    secretAccessKey: field.writtenSecret("the secret of the access key").optional(),
    /** The identifier of the access key. */
    userParameter: field.parameterName.optional(),
  }).optional(),
}).superRefine(({ region, otherRegions = [], server }, context) => {
  const named = typeof server?.host === "string" ? sesEndpoint.exec(server.host)?.[1] : undefined;
  if (named !== undefined && named !== region)
    complain(context, ["server", "host"], `is in another region than ${region}, whose password it refuses`);
  if (!Array.isArray(otherRegions)) return;
  otherRegions.forEach((other, index) => {
    if (other === region || otherRegions.indexOf(other) < index)
      complain(context, ["otherRegions", index], "is named twice");
  });
}, onAnyObject);

/** A rotation ends the access keys that a user had, so each user's keys open the mail of one installation alone. */
export const separateIamUsers = (installations: readonly unknown[], context: Complain): void => {
  const seen = new Map<string, number>();
  installations.forEach((one, index) => {
    const written = valueAt(one, ["rotations", "smtp"]);
    const [user, secret] = ["iamUser", "secret"].map((name) => valueAt(written, [name]));
    if (typeof user !== "string") return;
    const [, account = ""] = /^arn:aws[a-z-]*:secretsmanager:[^:]*:(\d+):/.exec(String(secret)) ?? [];
    const key = `${account}/${user.toLowerCase()}`;
    const first = seen.get(key);
    if (first === undefined) seen.set(key, index);
    else
      complain(
        context,
        ["installations", index, "rotations", "smtp", "iamUser"],
        `is the user of installations[${first}] too, whose rotation would end this one's mail; expected one of its own`,
      );
  });
};

/** The server as the product works with it. */
export const settleSmtp = ({ server, otherRegions = [], inStep = {}, ...rest }: Resolved<z.output<typeof smtp>>) => {
  const { host = endpointOf(rest.region), port = 587, tls, caFile } = server ?? {};
  return {
    ...rest,
    otherRegions,
    inStep,
    server: {
      host,
      port,
      tls: tls ?? tlsOfPort[port] ?? "starttls",
      ...(caFile === undefined ? {} : { caFile }),
    } as const,
  };
};
