import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { partitions } from "@openemr-ops/core/partitions";
import type { ThreadKey, ThreadStore } from "@openemr-ops/notifications/threads";
import { controlPlaneFailure } from "./controlPlaneFailure.ts";
import { documents, expiryFrom } from "./jobsTable.ts";

export interface DynamoThreadsSettings {
  /** The name of the jobs' table. */
  readonly table: string;
  readonly now?: () => Date;
  readonly client?: DynamoDBClient;
}

const keyOf = ({ installation, job }: ThreadKey) => ({ pk: partitions.threads(installation), sk: job });

/**
 * Slack threads of jobs, beside the job records in the jobs' table, and kept as long.
 *
 * @throws {ControlPlaneUnavailableError} retryable
 * @throws {ControlPlaneAccessDeniedError} fatal
 * @throws {ControlPlaneMissingError} fatal: there is no such table
 */
export const dynamoThreads = ({ table, now = () => new Date(), client }: DynamoThreadsSettings): ThreadStore => {
  const dynamo = documents(client);
  return {
    get: async (job) => {
      const question = new GetCommand({ TableName: table, Key: keyOf(job), ConsistentRead: true });
      const { Item } = await dynamo()
        .send(question)
        .catch((error: unknown) => {
          throw controlPlaneFailure(
            error,
            `reading the thread of ${job.job} in ${table}`,
            "dynamodb:GetItem on that table",
          );
        });
      if (Item === undefined) return undefined;
      return { channel: String(Item.channel), ts: String(Item.ts) };
    },
    put: async (job, { channel, ts }) => {
      const item = { ...keyOf(job), channel, ts, expiresAt: expiryFrom(now()) };
      await dynamo()
        .send(new PutCommand({ TableName: table, Item: item }))
        .catch((error: unknown) => {
          throw controlPlaneFailure(
            error,
            `keeping the thread of ${job.job} in ${table}`,
            "dynamodb:PutItem on that table",
          );
        });
    },
  };
};
