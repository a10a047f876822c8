import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { clientSettings } from "./clientSettings.ts";

/** The attribute that DynamoDB's time to live reads: whole seconds since 1970. Locks have none. */
export const expiryAttribute = "expiresAt";
/**
 * The index that lists an installation's jobs: hash `pk`, range `listKey`, all attributes. By the partition key, so that what
 * another one wrote cannot stand in the list, whatever it claims.
 */
export const listIndex = "byMoment";
/** Records are kept for so long. */
const keptDays = 400;

export const expiryFrom = (moment: Date): number => Math.floor(moment.getTime() / 1000) + keptDays * 24 * 3600;

/** Reads and writes plain objects; what is undefined is left out. */
export const documents = (client: DynamoDBClient = new DynamoDBClient(clientSettings)): DynamoDBDocumentClient =>
  DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
