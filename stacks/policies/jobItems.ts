import { PolicyStatement } from "aws-cdk-lib/aws-iam";

type ItemAction = "DeleteItem" | "GetItem" | "PutItem" | "UpdateItem";

/** Read or write items of the jobs' table by partition key: of one installation, or a pattern for all. */
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
