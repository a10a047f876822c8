import * as z from "zod";
import { valueAt } from "../fieldPath.ts";
import * as field from "../fields.ts";
import { type Complain, complain, onAnyObject } from "../rules.ts";
import { section } from "../section.ts";
import { strict } from "../strict.ts";

/** Addresses and domains of one receipt rule. Source: Amazon SES developer guide, "Service quotas". */
const mostRecipients = 100;

const domainOf = (address: string): string => address.slice(address.lastIndexOf("@") + 1).toLowerCase();

const stringsIn = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];

/** Whose mail SES receives for us: addresses, and whole domains. Never empty, because a rule without any receives everybody's. */
export const receivedBy = (routes: Readonly<Record<string, unknown>>): readonly string[] => {
  const keys = Object.keys(routes).map((key) => key.toLowerCase());
  const addresses = keys.filter((key) => key !== "*");
  const whole = new Set(
    keys.includes("*") ? addresses.map(domainOf) : addresses.filter((key) => key.startsWith("@")).map(domainOf),
  );
  return [...new Set([...whole, ...addresses.filter((key) => !whole.has(domainOf(key)))])].sort();
};

const routeRules = (routes: Readonly<Record<string, unknown>>, context: Complain): void => {
  const keys = Object.keys(routes);
  const receiving = new Set(keys.filter((key) => key !== "*").map(domainOf));
  if (receiving.size === 0)
    complain(context, [], 'names no address and no domain to receive for; expected one beside "*"');
  if (receivedBy(routes).length > mostRecipients)
    complain(context, [], `names more than ${mostRecipients} addresses, the most of one rule; route their domain`);
  for (const [at, key] of keys.entries()) {
    const first = keys.findIndex((other) => other.toLowerCase() === key.toLowerCase());
    if (first < at) complain(context, [key], `is the same address as ${keys[first]}`);
    for (const [index, target] of stringsIn(routes[key]).entries())
      if (receiving.has(domainOf(target)))
        complain(context, [key, index], `is in ${domainOf(target)}, which is received here; the mail would come back`);
  }
};

const routes = z
  .record(field.mailRoute, field.someOf(field.emailAddress, "e-mail addresses"), {
    error: 'expected an object such as { "billing@clinic.example": ["somebody@staff.example"] }',
  })
  .superRefine(routeRules, onAnyObject);

const inbound = strict({
  /** Of SES, where mail is received, and of the archive. */
  region: field.awsRegionName,
  /** The archive; the deployment makes it. */
  bucket: field.bucketName,
  /** Where messages are in the archive. */
  prefix: field.keyPrefix.default("inbound/"),
  /** How long messages are kept. */
  retentionDays: field.keptDays,
  /** Whom forwarded messages are from. */
  from: field.emailAddress,
  /** Further domains that SES may send for. */
  verifiedDomains: field.someOf(field.mailDomain, "domains").optional(),
  /** Who gets the mail of an address, of a domain (`@clinic.example`) and of all the rest (`*`). */
  routes,
  /** Not set, a rule set of our own. One that is active already gets a rule more. */
  ruleSet: field.ruleSetName.default("openemr-ops"),
}).superRefine(({ from, routes: written, verifiedDomains }, context) => {
  if (typeof from !== "string" || typeof written !== "object" || written === null) return;
  const known = new Set([
    ...Object.keys(written)
      .filter((key) => key !== "*")
      .map(domainOf),
    ...stringsIn(verifiedDomains).map((domain) => domain.toLowerCase()),
  ]);
  if (!known.has(domainOf(from)))
    complain(
      context,
      ["from"],
      "is in no domain that is received here; expected one, or its domain in verifiedDomains",
    );
}, onAnyObject);

/** Mail that comes in: where it is stored, and to whom it is forwarded. */
export const mail = section(strict({ inbound }), (written) => written);

/** Whether some address would be received for both. */
const overlap = (one: readonly string[], other: readonly string[]): string | undefined =>
  one.find((address) => other.includes(address) || other.includes(domainOf(address))) ??
  other.find((address) => one.includes(domainOf(address)));

/** Installations share a region's rule set, so no two may receive the same mail, or keep it in the same bucket. */
export const separateMail = (installations: readonly unknown[], context: Complain): void => {
  const seen: { readonly index: number; readonly bucket: unknown; readonly received: readonly string[] }[] = [];
  for (const [index, one] of installations.entries()) {
    const written = valueAt(one, ["mail", "inbound", "routes"]);
    if (typeof written !== "object" || written === null) continue;
    const bucket = valueAt(one, ["mail", "inbound", "bucket"]);
    const received = receivedBy(written as Readonly<Record<string, unknown>>);
    const at = ["installations", index, "mail", "inbound"];
    for (const other of seen) {
      const both = overlap(received, other.received);
      if (both !== undefined)
        complain(context, [...at, "routes"], `receives for ${both}, as installations[${other.index}] does`);
      if (bucket === other.bucket)
        complain(context, [...at, "bucket"], `is also the archive of installations[${other.index}]`);
    }
    seen.push({ index, bucket, received });
  }
};

/** Rules that look at the installation as a whole: messages are patients' data, and stay where these may be. */
export const mailRules = (installation: unknown, context: Complain): void => {
  const region = valueAt(installation, ["mail", "inbound", "region"]);
  const residency = valueAt(installation, ["residency"]);
  if (typeof region !== "string" || typeof residency !== "object" || residency === null) return;
  if (!stringsIn(valueAt(residency, ["awsRegions"])).includes(region))
    complain(
      context,
      ["mail", "inbound", "region"],
      "is not in residency.awsRegions; messages may not be stored there",
    );
};
