import { partitions } from "@openemr-ops/core/partitions";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";

/** List the jobs of an installation; `"*"`: of any, one at a time. */
export const listJobs = (table: { readonly tableArn: string }, installation: string): readonly PolicyStatement[] => [
  new PolicyStatement({
    actions: ["dynamodb:Query"],
    resources: [`${table.tableArn}/index/byMoment`],
    conditions: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": [partitions.records(installation)] } },
  }),
];
