import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { clientSettings } from "./clientSettings.ts";
import { onFirstUse } from "./onFirstUse.ts";

/** The attribute for DynamoDB's time to live: whole seconds since 1970. Locks do not have it. */
export const expiryAttribute = "expiresAt";
/**
 * The index that lists an installation's jobs: hash `pk`, range `listKey`, all attributes. It uses the partition key, so that
 * items of another installation cannot appear in the list.
 */
export const listIndex = "byMoment";
/** How long records are kept. */
const keptDays = 400;

export const expiryFrom = (moment: Date): number => Math.floor(moment.getTime() / 1000) + keptDays * 24 * 3600;

/** Reads and writes plain objects; undefined values are left out. */
export const documents = (client?: DynamoDBClient): (() => DynamoDBDocumentClient) =>
  onFirstUse(() =>
    DynamoDBDocumentClient.from(client ?? new DynamoDBClient(clientSettings), {
      marshallOptions: { removeUndefinedValues: true },
    }),
  );
