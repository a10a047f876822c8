import { readSecret, type SecretReader } from "@openemr-ops/core/config/secrets";

/** The secret reader of a program. AWS's SDK is loaded only when a configuration names a secret there. */
export const openSecrets = (environment: Readonly<Record<string, string | undefined>>): SecretReader =>
  readSecret({
    environment,
    awsSecret: async (arn, key, document) => {
      const { awsSecret } = await import("@openemr-ops/aws/awsSecret");
      return awsSecret()(arn, key, document);
    },
  });
