interface Statement {
  readonly Effect: string;
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

/**
 * Reads a bucket's policy where a client reaches S3 over TLS, as it does in AWS: moto judges no conditions, and would deny
 * everything.
 *
 * @throws {Error} the policy has a statement that would concern such a client, or that is for another bucket
 */
export const assertAdmitsTls = (bucket: string, document: string): void => {
  const { Statement }: { readonly Statement: readonly Statement[] } = JSON.parse(document);
  const arn = `arn:aws:s3:::${bucket}`;
  const known = JSON.stringify({ Bool: { "aws:SecureTransport": "false" } });
  for (const { Effect, Resource, Condition } of Statement)
    if (
      Effect !== "Deny" ||
      JSON.stringify(Condition) !== known ||
      JSON.stringify(Resource) !== JSON.stringify([arn, `${arn}/*`])
    )
      throw new Error(`the policy of ${bucket} has a statement that is not judged here`);
};
