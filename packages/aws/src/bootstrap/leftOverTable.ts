import { DescribeTableCommand, DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { InvalidInputError } from "@openemr-ops/core/errors";
import { controlPlaneFailure } from "../controlPlaneFailure.ts";
import { type AccountStacks, type DeploymentPlace, settingsOf } from "./bootstrapStack.ts";

/** A stack in one of these states is created anew by the next deployment. */
const createdAnew = new Set([
  undefined,
  "DELETE_COMPLETE",
  "REVIEW_IN_PROGRESS",
  "ROLLBACK_COMPLETE",
  "ROLLBACK_FAILED",
]);

/** How many records there are, as far as it matters; undefined when there is no such table. */
const recordsIn = async (table: string, place: DeploymentPlace): Promise<"none" | "some" | undefined> => {
  const client = new DynamoDBClient(settingsOf(place));
  try {
    await client.send(new DescribeTableCommand({ TableName: table }));
    const { Items = [] } = await client.send(new ScanCommand({ TableName: table, Limit: 1, ConsistentRead: true }));
    return Items.length > 0 ? "some" : "none";
  } catch (error) {
    if (error instanceof Error && error.name === "ResourceNotFoundException") return undefined;
    throw controlPlaneFailure(error, `reading the table ${table}`, "dynamodb:DescribeTable and dynamodb:Scan");
  }
};

/**
 * Refuses to create a stage whose table of job records is there already: CloudFormation would create all else first and then
 * fail. The table is kept when a stack is removed, and when its first deployment fails.
 *
 * @param stack the stack that creates the table
 * @throws {InvalidInputError} fatal: names the table, whether it has records, and what to do
 */
export const refuseLeftOverTable = async (
  { stack, table, stage }: { readonly stack: string; readonly table: string; readonly stage: string },
  stacks: AccountStacks,
  place: DeploymentPlace,
): Promise<void> => {
  if (!createdAnew.has(await stacks.status(stack))) return;
  const records = await recordsIn(table, place);
  if (records === undefined) return;
  const left = `the table ${table} of an earlier deployment of ${stage} is still there`;
  const message =
    records === "none"
      ? `${left}, and empty; delete it, then deploy again: aws dynamodb update-table --table-name ${table} --no-deletion-protection-enabled && aws dynamodb delete-table --table-name ${table}`
      : `${left}, with records of jobs; deploy another stage, or export the table and delete it; see docs/deploy.md, "A first deployment that failed"`;
  throw new InvalidInputError([{ path: "stage", message }]);
};
