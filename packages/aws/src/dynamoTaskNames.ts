import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { partitions } from "@openemr-ops/core/partitions";
import { controlPlaneFailure } from "./controlPlaneFailure.ts";
import { documents, expiryFrom } from "./jobsTable.ts";

/** Which job a container belongs to, for whoever knows it by the container's ARN alone. Errors: those of the control plane. */
export interface TaskNames {
  remember(installation: string, taskArn: string, jobId: string): Promise<void>;
  jobOf(installation: string, taskArn: string): Promise<string | undefined>;
}

export interface DynamoTaskNamesSettings {
  /** The name of the jobs' table. */
  readonly table: string;
  readonly now?: () => Date;
  readonly client?: DynamoDBClient;
}

const keyOf = (installation: string, taskArn: string) => ({ pk: partitions.tasks(installation), sk: taskArn });

/** Beside the job records in the jobs' table, and kept as long. */
export const dynamoTaskNames = ({ table, now = () => new Date(), client }: DynamoTaskNamesSettings): TaskNames => {
  const dynamo = documents(client);
  const ask = async <Answer>(doing: string, right: string, sent: Promise<Answer>): Promise<Answer> => {
    try {
      return await sent;
    } catch (error) {
      throw controlPlaneFailure(error, `${doing} in ${table}`, `${right} on that table`);
    }
  };
  return {
    remember: async (installation, taskArn, jobId) => {
      const Item = { ...keyOf(installation, taskArn), jobId, expiresAt: expiryFrom(now()) };
      await ask(
        `keeping the task of ${jobId}`,
        "dynamodb:PutItem",
        dynamo().send(new PutCommand({ TableName: table, Item })),
      );
    },
    jobOf: async (installation, taskArn) => {
      const question = new GetCommand({ TableName: table, Key: keyOf(installation, taskArn), ConsistentRead: true });
      const { Item } = await ask("reading the job of a task", "dynamodb:GetItem", dynamo().send(question));
      return typeof Item?.jobId === "string" ? Item.jobId : undefined;
    },
  };
};
