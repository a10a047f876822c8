import { createHmac } from "node:crypto";
import { RotationRefusedError } from "@openemr-ops/core/errors";

const sign = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text, "utf8").digest();

/** The version of the algorithm, as the first byte. */
const version = Buffer.of(4);
/** The date is a constant, so that the password stays the same. */
const date = "11111111";

/**
 * Derives the password of SES's SMTP servers of one region from an access key: 44 characters that begin with `B`, `+` and `/` among
 * them. The user is the access key's identifier.
 *
 * @throws {RotationRefusedError} refused: the key is a temporary one, of which no password can be made
 * @see https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html, "Obtaining Amazon SES SMTP credentials by converting"
 */
export const sesPassword = (key: { readonly id: string; readonly secret: string }, region: string): string => {
  if (key.id.startsWith("ASIA"))
    throw new RotationRefusedError(
      `the access key ${key.id} is a temporary one, and SES takes no password of such a key; use the access keys of an IAM user`,
    );
  const ofService = sign(sign(sign(`AWS4${key.secret}`, date), region), "ses");
  return Buffer.concat([version, sign(sign(ofService, "aws4_request"), "SendRawEmail")]).toString("base64");
};
