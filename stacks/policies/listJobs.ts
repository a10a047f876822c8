import { PolicyStatement } from "aws-cdk-lib/aws-iam";

/** Listing jobs, installation by installation; of one alone where that is named. */
export const listJobs = (table: { readonly tableArn: string }, installation?: string): readonly PolicyStatement[] => [
  new PolicyStatement({
    actions: ["dynamodb:Query"],
    resources: [`${table.tableArn}/index/byInstallation`],
    ...(installation === undefined
      ? {}
      : { conditions: { "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": [installation] } } }),
  }),
];
