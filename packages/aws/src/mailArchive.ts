import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { GetObjectCommand, type S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import { MailUnreadableError } from "@openemr-ops/core/errors";
import { onFirstUse } from "./onFirstUse.ts";
import { s3Client } from "./s3Client.ts";
import { s3Failure } from "./s3Failure.ts";

export interface MailArchiveSettings {
  readonly bucket: string;
  readonly region: string;
  /** Ends with `/`: the same text that the receipt rule has. */
  readonly prefix: string;
  readonly client?: Pick<S3Client, "send">;
}

/** What the S3 encryption client notes where it encrypted: the object opens with a key that is not S3's. */
const clientSide = ["x-amz-key-v2", "x-amz-key"];

/**
 * Messages as SES stored them: one request each, whose size is known before the message is read.
 *
 * @throws {MailUnreadableError} fatal: it is not there, or SES encrypted it for a client with the key
 * @throws {DestinationAccessDeniedError} fatal: also where it is not there, for S3 tells only who may list
 */
export const mailArchive = (
  { bucket, region, prefix, ...settings }: MailArchiveSettings,
  environment: Readonly<Record<string, string | undefined>> = {},
) => {
  const client = onFirstUse(() => settings.client ?? s3Client({ bucket, region }, environment));
  return {
    open: async (messageId: string) => {
      const key = `${prefix}${messageId}`;
      const location = `s3://${bucket}/${key}`;
      const doing = `reading ${location}, or the prefix is not the receipt rule's,`;
      const { Body, ContentLength, Metadata } = await client()
        .send(new GetObjectCommand({ Bucket: bucket, Key: key }))
        .catch((error: unknown) => {
          if (error instanceof S3ServiceException && error.name === "NoSuchKey")
            throw new MailUnreadableError(
              `${location} does not exist; compare prefix and retentionDays with the receipt rule and the message's age`,
              { cause: error },
            );
          throw s3Failure(error, doing);
        });
      const stream = Body instanceof Readable ? Body : Readable.from([]);
      const close = () => void stream.destroy();
      if (clientSide.some((name) => Metadata?.[name] !== undefined)) {
        close();
        throw new MailUnreadableError(
          `${location} is encrypted on the client's side; take the KMS key out of the receipt rule's S3 action, the bucket encrypts by itself`,
        );
      }
      const query = new URLSearchParams({ region, prefix: key });
      return {
        byteLength: ContentLength ?? 0,
        location,
        link: `https://${region}.console.aws.amazon.com/s3/object/${bucket}?${query}`,
        read: () =>
          buffer(stream).catch((error: unknown) => {
            throw s3Failure(error, doing);
          }),
        close,
      };
    },
  };
};
