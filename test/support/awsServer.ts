import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { startMoto } from "@openemr-ops/local/servers/moto";
import { vi } from "vitest";

/** AWS in memory, and the variables that lead every client of this process there. */
export interface AwsServer extends AsyncDisposable {
  readonly url: string;
  readonly environment: Readonly<Record<string, string>>;
}

export const startAws = async (): Promise<AwsServer> => {
  const server = await startMoto();
  const environment = {
    AWS_ENDPOINT_URL: server.url,
    AWS_REGION: server.region,
    AWS_ACCESS_KEY_ID: server.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: "true",
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  vi.stubEnv("AWS_SESSION_TOKEN", undefined);
  return {
    url: server.url,
    environment,
    [Symbol.asyncDispose]: async () => {
      vi.unstubAllEnvs();
      await server.stop();
    },
  };
};

let secrets = 0;
/** A new secret, empty unless it has a value. @returns its ARN */
export const aSecret = async (SecretString?: string): Promise<string> => {
  const Name = `clinic-a/secret-${++secrets}`;
  const { ARN = "" } = await new SecretsManagerClient().send(
    new CreateSecretCommand({ Name, ...(SecretString === undefined ? {} : { SecretString }) }),
  );
  return ARN;
};

/** The jobs' table as a stage has it. */
export const createJobsTable = async (table: string): Promise<void> => {
  await new DynamoDBClient().send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: ["pk", "sk", "listKey"].map((name) => ({
        AttributeName: name,
        AttributeType: "S",
      })),
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: "byMoment",
          KeySchema: [
            { AttributeName: "pk", KeyType: "HASH" },
            { AttributeName: "listKey", KeyType: "RANGE" },
          ],
          Projection: { ProjectionType: "ALL" },
        },
      ],
    }),
  );
};
