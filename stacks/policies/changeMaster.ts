import { ArnFormat, type Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { useSecretKeys } from "./readSecrets.ts";

/**
 * Change the master password of one cluster; and where RDS keeps it, read it and have it changed. RDS names that secret, and puts
 * the cluster on it as a tag.
 */
export const changeMaster = (stack: Stack, cluster: string): readonly PolicyStatement[] => {
  const clusterArn = stack.formatArn({
    service: "rds",
    resource: "cluster",
    resourceName: cluster,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  const kept = stack.formatArn({
    service: "secretsmanager",
    resource: "secret",
    resourceName: "rds!cluster-*",
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  return [
    new PolicyStatement({ actions: ["rds:DescribeDBClusters", "rds:ModifyDBCluster"], resources: [clusterArn] }),
    new PolicyStatement({
      actions: ["secretsmanager:GetSecretValue", "secretsmanager:RotateSecret"],
      resources: [kept],
      conditions: { StringEquals: { "secretsmanager:ResourceTag/aws:rds:primaryDBClusterArn": clusterArn } },
    }),
    useSecretKeys(stack, [kept], "kms:Decrypt"),
  ];
};
