import type { Stack } from "aws-cdk-lib";
import type { CfnApplication } from "aws-cdk-lib/aws-emrserverless";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";

/** Start jobs of one application under one role, follow them and stop them. */
export const runSpark = (
  { attrArn }: Pick<CfnApplication, "attrArn">,
  role: { readonly roleArn: string },
): readonly PolicyStatement[] => [
  new PolicyStatement({
    actions: ["emr-serverless:GetApplication", "emr-serverless:ListJobRuns", "emr-serverless:StartJobRun"],
    resources: [attrArn],
  }),
  new PolicyStatement({
    actions: ["emr-serverless:CancelJobRun", "emr-serverless:GetJobRun"],
    resources: [`${attrArn}/jobruns/*`],
  }),
  new PolicyStatement({
    actions: ["iam:PassRole"],
    resources: [role.roleArn],
    conditions: { StringEquals: { "iam:PassedToService": "emr-serverless.amazonaws.com" } },
  }),
];

/** Read what one database of Glue describes. Spark looks for the database `default` first, wherever its tables are. */
export const readCatalogue = (stack: Stack, database: string): readonly PolicyStatement[] => {
  const catalogue = stack.formatArn({ service: "glue", resource: "catalog" });
  const at = (resource: string, resourceName: string) => stack.formatArn({ service: "glue", resource, resourceName });
  return [
    new PolicyStatement({
      actions: ["glue:GetDatabase", "glue:GetPartition", "glue:GetPartitions", "glue:GetTable", "glue:GetTables"],
      resources: [catalogue, at("database", database), at("table", `${database}/*`)],
    }),
    new PolicyStatement({ actions: ["glue:GetDatabase"], resources: [at("database", "default")] }),
  ];
};
