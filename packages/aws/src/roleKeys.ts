import { STSClient } from "@aws-sdk/client-sts";

/** The region and the keys of the role under which this program runs, found by AWS's usual chain of providers, renewed by it. */
export const roleKeys = () => {
  const { config } = new STSClient();
  return {
    region: () => config.region(),
    keys: async () => {
      const { accessKeyId, secretAccessKey, sessionToken } = await config.credentials();
      return { accessKeyId, secretAccessKey, ...(sessionToken ? { token: sessionToken } : {}) };
    },
  };
};
