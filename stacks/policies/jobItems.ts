import { PolicyStatement } from "aws-cdk-lib/aws-iam";

type ItemAction = "DeleteItem" | "GetItem" | "PutItem" | "UpdateItem";

/**
 * Items of the jobs' table by the beginnings of their keys, such as `JOB#*` or `LOCK#clinic-a#*`, and the key that the
 * table is encrypted with, for DynamoDB alone.
 */
export const jobItems = (
  table: { readonly tableArn: string },
  keys: readonly string[],
  actions: readonly ItemAction[],
): readonly PolicyStatement[] => [
  new PolicyStatement({
    actions: actions.map((action) => `dynamodb:${action}`),
    resources: [table.tableArn],
    conditions: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": [...keys] } },
  }),
];
