import { PolicyStatement } from "aws-cdk-lib/aws-iam";

/** Listing jobs, installation by installation. */
export const listJobs = (table: { readonly tableArn: string }): readonly PolicyStatement[] => [
  new PolicyStatement({ actions: ["dynamodb:Query"], resources: [`${table.tableArn}/index/byInstallation`] }),
];
