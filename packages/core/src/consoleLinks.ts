import type { DestinationAddress } from "./config/destinationAddress.ts";

/** Hosts of AWS's console, by partition. */
export const consoleHosts: Readonly<Record<string, string>> = {
  aws: "console.aws.amazon.com",
  "aws-cn": "console.amazonaws.cn",
  "aws-us-gov": "console.amazonaws-us-gov.com",
};

const hostOf = (region: string): string | undefined => {
  if (region.startsWith("cn-")) return consoleHosts["aws-cn"];
  if (region.startsWith("us-gov-")) return consoleHosts["aws-us-gov"];
  return /^[a-z]{2}-[a-z]+-\d+$/.test(region) ? consoleHosts.aws : undefined; // others have consoles of their own
};

/** Parts of a path or a query. A destination's key has none of the characters that this leaves and that end a link in a message. */
const escaped = (key: string): string => key.split("/").map(encodeURIComponent).join("/");

/**
 * Address of an object in the console of its cloud, where whoever is signed in and may read it can open it. It is no secret:
 * it has no signature. `undefined` for a directory, for a server of one's own, and where the region is not known.
 *
 * @param key whole, with the destination's prefix
 * @param region used where the address has none
 */
export const objectLink = (
  address: DestinationAddress,
  key: string,
  region: string | undefined,
): string | undefined => {
  if (address.kind === "gcs")
    return `https://console.cloud.google.com/storage/browser/_details/${address.bucket}/${escaped(key)}`;
  if (address.kind === "file" || address.endpoint !== undefined) return undefined;
  const its = address.region ?? region;
  const host = its === undefined ? undefined : hostOf(its);
  if (its === undefined || host === undefined) return undefined;
  return `https://${its}.${host}/s3/object/${address.bucket}?prefix=${escaped(key)}`;
};

const s3Link = /^https:\/\/[a-z0-9-]+\.console\.(aws\.amazon\.com|amazonaws\.cn|amazonaws-us-gov\.com)\/s3\/object\//;
const googleLink = /^https:\/\/console\.cloud\.google\.com\/storage\/browser\/_details\//;

/** Whether a text that a job reports is such an address, and nothing in it can end a link in a message. */
export const isObjectLink = (text: string): boolean =>
  (s3Link.test(text) || googleLink.test(text)) && /^[\w:/.?=%-]+$/.test(text);
