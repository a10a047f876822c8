import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { DumpsBucket } from "../deployment.ts";
import { dumpsPlace } from "./dumpsPlace.ts";

/**
 * Let RDS export a cluster under one role, with one key, and see how far it is. Neither action of RDS has a resource to name:
 * which bucket the rows go to is decided by the role that may be passed.
 */
export const exportCluster = (
  role: { readonly roleArn: string },
  key: { readonly keyArn: string },
): readonly PolicyStatement[] => [
  new PolicyStatement({ actions: ["rds:StartExportTask", "rds:DescribeExportTasks"], resources: ["*"] }),
  new PolicyStatement({
    actions: ["iam:PassRole"],
    resources: [role.roleArn],
    conditions: { StringEquals: { "iam:PassedToService": "export.rds.amazonaws.com" } },
  }),
  new PolicyStatement({ actions: ["kms:CreateGrant", "kms:DescribeKey"], resources: [key.keyArn] }),
];

/** What RDS needs where it writes. Source: docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/export-cluster-data.html. */
export const writeAsRds = (stack: Stack, place: DumpsBucket): readonly PolicyStatement[] => {
  const { bucket, objects } = dumpsPlace(stack, place);
  return [
    new PolicyStatement({ actions: ["s3:GetBucketLocation", "s3:ListBucket"], resources: [bucket] }),
    new PolicyStatement({ actions: ["s3:DeleteObject*", "s3:GetObject*", "s3:PutObject*"], resources: [objects()] }),
  ];
};
