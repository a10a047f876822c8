import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { clientSettings } from "./clientSettings.ts";

/** The attribute that DynamoDB's time to live reads: whole seconds since 1970. Locks have none. */
export const expiryAttribute = "expiresAt";
/** The index that lists an installation's jobs: hash `installation`, range `listKey`, all attributes. */
export const listIndex = "byInstallation";
/** Records are kept for so long. */
const keptDays = 400;

export const expiryFrom = (moment: Date): number => Math.floor(moment.getTime() / 1000) + keptDays * 24 * 3600;

/** Reads and writes plain objects; what is undefined is left out. */
export const documents = (client: DynamoDBClient = new DynamoDBClient(clientSettings)): DynamoDBDocumentClient =>
  DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
