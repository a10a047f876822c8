import { quote } from "./show.ts";

/** Where dumps or exports go, taken apart and checked. */
export type DestinationAddress =
  | {
      readonly kind: "file";
      /** Absolute. */
      readonly directory: string;
    }
  | {
      readonly kind: "s3";
      readonly bucket: string;
      /** Segments joined by `/`, none at either end; empty is the bucket's root. */
      readonly prefix: string;
      /** A server that speaks S3; not set means AWS. No path, no `/` at the end. */
      readonly endpoint?: string;
      /** Not set: what AWS's usual environment says. `us-east-1` for an endpoint of one's own. */
      readonly region?: string;
      /** `https://server/bucket` rather than `https://bucket.server`. */
      readonly pathStyle: boolean;
      /** The bucket locks what is written there: it takes no upload without a checksum. */
      readonly locked?: boolean;
    }
  | { readonly kind: "gcs"; readonly bucket: string; readonly prefix: string };

/** A destination's URL taken apart, without what other settings say of it. */
export type DestinationUrl =
  | { readonly kind: "file"; readonly directory: string }
  | { readonly kind: "s3" | "gcs"; readonly bucket: string; readonly prefix: string };

export const destinationForms = "file:///absolute/directory, s3://bucket/prefix or gs://bucket/prefix";

class Refusal extends Error {}

const refuse = (message: string): never => {
  throw new Refusal(message);
};

const decode = (segment: string): string => {
  try {
    return decodeURIComponent(segment);
  } catch {
    return refuse("has a % that is not followed by two hex digits; write a real % as %25");
  }
};

const assertSegments = (segments: readonly string[]): void => {
  if (segments.includes("")) refuse("has an empty part between two slashes");
  if (segments.some((segment) => segment === "." || segment === ".."))
    refuse('has a "." or ".." part; write the place itself');
};

const parseFile = (rest: string): DestinationUrl => {
  if (!rest.startsWith("/")) refuse("is not absolute: three slashes follow file:, as in file:///srv/backups/clinic-a");
  if (/[?#]/.test(rest)) refuse("has a ? or #; write %3F or %23 when the directory's name has one");
  const segments = rest.replace(/\/$/, "").split("/").slice(1).map(decode);
  if (segments.length === 0) refuse("is the root directory; name a directory for dumps alone");
  assertSegments(segments);
  if (segments.some((segment) => /[/\\]|\p{Cc}/u.test(segment)))
    refuse("has a slash, backslash or control character in a name");
  return { kind: "file", directory: `/${segments.join("/")}` };
};

/** Sources: docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html, cloud.google.com/storage/docs/buckets#naming. */
const bucketProblem = (kind: "s3" | "gcs", bucket: string): string | undefined => {
  if (bucket === "") return "lacks the bucket's name";
  const shape = kind === "s3" ? /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/ : /^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/;
  const longPart = bucket.split(".").some((part) => part.length > 63);
  if (!shape.test(bucket) || /\.[.-]|-\./.test(bucket) || longPart) {
    return `names the bucket ${quote(bucket)}; expected 3 to 63 lower-case letters, digits, dots and hyphens`;
  }
  if (/^\d+\.\d+\.\d+\.\d+$/.test(bucket)) return "names a bucket that looks like an IP address; no store has such";
  if (kind === "gcs" && /^goog|google/.test(bucket))
    return 'names a bucket with "google" in it; Google Cloud has no such buckets';
  return undefined;
};

const parseBucket = (kind: "s3" | "gcs", rest: string): DestinationUrl => {
  const [bucket = "", ...segments] = rest.replace(/\/$/, "").split("/");
  const problem = bucketProblem(kind, bucket);
  if (problem) refuse(problem);
  assertSegments(segments);
  if (segments.some((segment) => !/^[A-Za-z0-9._=+-]+$/.test(segment))) {
    refuse("has a prefix with other characters than letters, digits and . _ = + -");
  }
  const prefix = segments.join("/");
  if (prefix.length > 512) refuse("has a prefix of more than 512 characters");
  return { kind, bucket, prefix };
};

/**
 * Takes a destination's URL apart. The answer is a problem, in words that follow "it", when the URL breaks a rule of the
 * store or could reach outside its place; credentials in it are never repeated.
 */
export const parseDestinationUrl = (
  url: string,
): { readonly address: DestinationUrl } | { readonly problem: string } => {
  try {
    const [, scheme, rest = ""] = /^([a-z0-9]+):\/\/(.*)$/is.exec(url) ?? [];
    if (scheme !== "file" && /@/.test(url))
      refuse("has credentials in it; leave them out, they come from the environment");
    if (/\p{Cc}/u.test(url)) refuse("has a control character in it");
    if (scheme === "file") return { address: parseFile(rest) };
    if (/[?#]/.test(url)) refuse("has a ? or #; expected only a bucket and a prefix");
    if (scheme === "s3") return { address: parseBucket("s3", rest) };
    if (scheme === "gs") return { address: parseBucket("gcs", rest) };
    return { problem: `is no place that this program writes to; expected ${destinationForms}` };
  } catch (error) {
    if (error instanceof Refusal) return { problem: error.message };
    throw error;
  }
};

/** A destination's URL and the server it is on, as far as telling two places apart needs. */
export type DestinationPlace = DestinationUrl & { readonly endpoint?: string };

/** A server's address in the one form that `DestinationAddress` keeps: lower-case name, no `/` at the end. */
export const endpointOrigin = (endpoint: string): string => URL.parse(endpoint)?.origin ?? endpoint;

/** The names from the store down to the place. */
const levels = (place: DestinationPlace): readonly string[] =>
  place.kind === "file"
    ? ["file", ...place.directory.split("/").slice(1)]
    : [place.endpoint ?? place.kind, place.bucket, ...place.prefix.split("/").filter(Boolean)];

/** True when both are the same place or one lies inside the other. */
export const overlap = (left: DestinationPlace, right: DestinationPlace): boolean => {
  const [short = [], long = []] = [levels(left), levels(right)].sort((one, other) => one.length - other.length);
  return short.every((level, depth) => level === long[depth]);
};

/** For messages and plans: scheme, bucket or directory, prefix. */
export const formatDestination = (address: DestinationUrl): string => {
  if (address.kind === "file") return `file://${address.directory}`;
  const scheme = address.kind === "s3" ? "s3" : "gs";
  return `${scheme}://${[address.bucket, address.prefix].filter(Boolean).join("/")}`;
};
