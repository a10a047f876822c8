import { createHash } from "node:crypto";
import { HeadBucketCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { PutReceipt, SourceFile, StoredObject } from "@openemr-ops/core/destination";
import { getEndpointFromInstructions } from "@smithy/core/endpoints";
import { HttpRequest } from "@smithy/core/protocols";

/** Of the headers that keep our metadata; the time is written as rclone writes it: seconds, with all digits. */
const modified = "mtime";
const digest = "sha256";

/** What a store keeps of a source, as its metadata. */
export const metadataOf = ({ modifiedNs, sha256 }: SourceFile): Record<string, string> => {
  const sign = modifiedNs < 0n ? "-" : "";
  const ns = modifiedNs < 0n ? -modifiedNs : modifiedNs;
  const time = `${sign}${ns / 1_000_000_000n}.${String(ns % 1_000_000_000n).padStart(9, "0")}`;
  return { [modified]: time, ...(sha256 ? { [digest]: sha256 } : {}) };
};

/** The opposite; `undefined` where the metadata name no time. */
export const sourceOf = (metadata: Readonly<Record<string, string>> = {}): SourceFile | undefined => {
  const [, sign, seconds, fraction = ""] = /^(-?)(\d{1,12})(?:\.(\d{1,9}))?$/.exec(metadata[modified] ?? "") ?? [];
  if (seconds === undefined) return undefined;
  const ns = BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, "0"));
  const sha256 = metadata[digest];
  return { modifiedNs: sign ? -ns : ns, ...(sha256 ? { sha256 } : {}) };
};

const escaped = (key: string): string =>
  encodeURIComponent(key)
    .replaceAll("%2F", "/")
    .replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);

/** Empty bytes' digest, for requests without a body. */
const nothing = createHash("sha256").digest("hex");

interface Asked {
  readonly method: "GET" | "PUT";
  /** Empty for the bucket itself. */
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/**
 * Sends requests past the SDK's middlewares, which need a millisecond of processor time for each, and through all else of its
 * client: its keys, its signer, its endpoint, its connections.
 */
const signedRequests = (client: S3Client, bucket: string) => {
  const prepare = async () => {
    const { config } = client;
    const { url } = await getEndpointFromInstructions({ Bucket: bucket }, HeadBucketCommand, { ...config });
    const signingRegion = await config.region();
    const signer = await config.signer({ name: "sigv4", signingName: "s3", signingRegion, properties: {} });
    return { url, signer };
  };
  let prepared: ReturnType<typeof prepare> | undefined;
  return async ({ method, key, query, headers, body }: Asked) => {
    prepared ??= prepare();
    const { url, signer } = await prepared.catch((error: unknown) => {
      prepared = undefined; // credentials or an endpoint may be there the next time
      throw error;
    });
    const request = new HttpRequest({
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      ...(url.port ? { port: Number(url.port) } : {}),
      path: `${url.pathname.replace(/\/$/, "")}/${escaped(key)}`,
      query: { ...query },
      headers: { host: url.host, "x-amz-content-sha256": nothing, ...headers },
      body,
    });
    const { response } = await client.config.requestHandler.handle(HttpRequest.clone(await signer.sign(request)));
    return response;
  };
};

export interface ListedPage {
  /** Without those that mark a directory. */
  readonly objects: readonly StoredObject[];
  /** Where the next page begins; not set at the end. */
  readonly token?: string | undefined;
}

/** What an S3 client does so often that the SDK's own way would take most of the time. */
export interface S3Shortcut {
  /**
   * Puts an object whose bytes are in memory, with its SHA-256. Whatever is answered but success, the SDK does the same again,
   * with its retries and its errors.
   */
  putBody(key: string, body: Buffer, source: SourceFile): Promise<PutReceipt>;
  /**
   * A page of a listing; `undefined` when the SDK should ask instead, which has retries and errors.
   *
   * @param root what every key begins with; it is left out
   */
  listPage(query: Readonly<Record<string, string>>, root: string): Promise<ListedPage | undefined>;
}

export const s3Shortcut = (client: S3Client, bucket: string): S3Shortcut => {
  const send = signedRequests(client, bucket);

  const attempt = async (key: string, body: Buffer, sha256: Buffer, metadata: Record<string, string>) => {
    const headers: Record<string, string> = {
      "content-length": String(body.length),
      "content-type": "application/octet-stream",
      "x-amz-content-sha256": sha256.toString("hex"),
      "x-amz-checksum-sha256": sha256.toString("base64"),
    };
    for (const [name, value] of Object.entries(metadata)) headers[`x-amz-meta-${name}`] = value;
    const response = await send({ method: "PUT", key, headers, body });
    response.body?.resume();
    return response.statusCode === 200 ? { etag: response.headers.etag } : undefined;
  };

  const putBody = async (key: string, body: Buffer, source: SourceFile): Promise<PutReceipt> => {
    const sha256 = createHash("sha256").update(body).digest();
    const receipt = { byteLength: body.length, sha256: sha256.toString("hex") };
    const metadata = metadataOf({ ...source, sha256: receipt.sha256 });
    const done = await attempt(key, body, sha256, metadata).catch(() => undefined);
    if (done) return { ...receipt, etag: done.etag };
    const { ETag } = await client.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: body,
        ContentType: "application/octet-stream",
        ChecksumSHA256: sha256.toString("base64"),
        Metadata: metadata,
      }),
    );
    return { ...receipt, etag: ETag };
  };

  const listPage = async (query: Readonly<Record<string, string>>, root: string): Promise<ListedPage | undefined> => {
    try {
      const response = await send({ method: "GET", key: "", query: { "list-type": "2", ...query }, headers: {} });
      const chunks: Buffer[] = [];
      for await (const chunk of response.body) chunks.push(chunk);
      return response.statusCode === 200 ? pageOf(Buffer.concat(chunks).toString("utf8"), root) : undefined;
    } catch {
      return undefined;
    }
  };
  return { putBody, listPage };
};

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** Text of XML; `undefined` where it has what no listing should have. */
const plainText = (text: string): string | undefined => {
  if (!text.includes("&")) return text;
  const quoted = text.replaceAll("&#34;", '"').replaceAll("&quot;", '"'); // each ETag has two
  if (!quoted.includes("&")) return quoted;
  let known = true;
  const plain = text.replace(/&(?:#x([0-9a-fA-F]{1,6})|#(\d{1,7})|(\w+));/g, (_, hex, decimal, name) => {
    const code = hex ? Number.parseInt(hex, 16) : Number(decimal);
    const letter = name ? entities[name] : code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
    known &&= letter !== undefined;
    return letter ?? "";
  });
  return known ? plain : undefined;
};

const tagOf = (name: string) => ({ open: `<${name}>`, close: `</${name}>` });
const contents = tagOf("Contents");
const fields = { key: tagOf("Key"), size: tagOf("Size"), modified: tagOf("LastModified"), etag: tagOf("ETag") };
const ends = { truncated: tagOf("IsTruncated"), token: tagOf("NextContinuationToken") };

const textIn = (xml: string, { open, close }: ReturnType<typeof tagOf>): string | undefined => {
  const start = xml.indexOf(open);
  if (start < 0) return undefined;
  return plainText(xml.slice(start + open.length, xml.indexOf(close, start)));
};

/**
 * Reads the answer to ListObjectsV2. It takes the one form that servers write and nothing else: whatever is missing or unusual
 * leaves the whole page to the SDK.
 */
export const pageOf = (xml: string, root = ""): ListedPage | undefined => {
  if (!/^\s*(?:<\?xml[^>]*\?>\s*)?<ListBucketResult[ >]/.test(xml) || !/<\/ListBucketResult>\s*$/.test(xml))
    return undefined;
  if (xml.includes("<![CDATA[") || xml.includes("<!--") || xml.includes("<EncodingType>url")) return undefined;
  const objects: StoredObject[] = [];
  let rest = "";
  let position = 0;
  for (let start = xml.indexOf(contents.open); start >= 0; start = xml.indexOf(contents.open, position)) {
    const end = xml.indexOf(contents.close, start);
    if (end < 0) return undefined;
    rest += xml.slice(position, start);
    position = end + contents.close.length;
    const entry = xml.slice(start, end);
    const key = textIn(entry, fields.key);
    const byteLength = Number(textIn(entry, fields.size) ?? Number.NaN);
    const modifiedAt = new Date(textIn(entry, fields.modified) ?? Number.NaN);
    if (!key?.startsWith(root) || !Number.isSafeInteger(byteLength) || Number.isNaN(modifiedAt.getTime()))
      return undefined;
    if (key.endsWith("/")) continue;
    objects.push({ key: key.slice(root.length), byteLength, modifiedAt, etag: textIn(entry, fields.etag) });
  }
  rest += xml.slice(position);
  const truncated = textIn(rest, ends.truncated);
  const token = textIn(rest, ends.token);
  if (truncated === "false") return { objects };
  return truncated === "true" && token ? { objects, token } : undefined;
};
