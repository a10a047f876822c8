import { createHash } from "node:crypto";
import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { PutReceipt, SourceFile } from "@openemr-ops/core/destination";
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

/**
 * Puts objects whose bytes are in memory. A first attempt goes past the SDK's middlewares, which need a millisecond of processor
 * time for each request, and through all else of the client: its keys, its signer, its endpoint, its connections. Whatever is
 * answered but success, the SDK then does the same again, with its retries and its errors.
 */
export const bodyPutter = (
  client: S3Client,
  bucket: string,
): ((key: string, body: Buffer, source: SourceFile) => Promise<PutReceipt>) => {
  const prepare = async () => {
    const { config } = client;
    const { url } = await getEndpointFromInstructions({ Bucket: bucket }, PutObjectCommand, { ...config });
    const signingRegion = await config.region();
    const signer = await config.signer({
      name: "sigv4",
      signingName: "s3",
      signingRegion,
      properties: {},
    });
    return { url, signer };
  };
  let prepared: ReturnType<typeof prepare> | undefined;

  const attempt = async (key: string, body: Buffer, sha256: Buffer, metadata: Record<string, string>) => {
    prepared ??= prepare();
    const { url, signer } = await prepared;
    const headers: Record<string, string> = {
      host: url.host,
      "content-length": String(body.length),
      "content-type": "application/octet-stream",
      "x-amz-content-sha256": sha256.toString("hex"),
      "x-amz-checksum-sha256": sha256.toString("base64"),
    };
    for (const [name, value] of Object.entries(metadata)) headers[`x-amz-meta-${name}`] = value;
    const request = new HttpRequest({
      method: "PUT",
      protocol: url.protocol,
      hostname: url.hostname,
      ...(url.port ? { port: Number(url.port) } : {}),
      path: `${url.pathname.replace(/\/$/, "")}/${escaped(key)}`,
      headers,
      body,
    });
    const { response } = await client.config.requestHandler.handle(HttpRequest.clone(await signer.sign(request)));
    response.body?.resume();
    return response.statusCode === 200 ? { etag: response.headers.etag } : undefined;
  };

  return async (key, body, source) => {
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
};
