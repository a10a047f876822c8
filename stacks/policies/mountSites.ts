import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { DeployedInstallation } from "../deployment.ts";

/** Mount the sites directory. Only restores may write, as root, so that they can set owners. */
export const mountSites = (
  stack: Stack,
  { sites }: DeployedInstallation,
  { write }: { readonly write: boolean },
): readonly PolicyStatement[] => {
  const { fileSystemId, accessPointId } = sites;
  const of = (kind: string, id: string) =>
    stack.formatArn({ service: "elasticfilesystem", resource: kind, resourceName: id });
  return [
    new PolicyStatement({
      actions: [
        "elasticfilesystem:ClientMount",
        ...(write ? ["elasticfilesystem:ClientWrite", "elasticfilesystem:ClientRootAccess"] : []),
      ],
      resources: [of("file-system", fileSystemId)],
      conditions: {
        Bool: { "aws:SecureTransport": "true" },
        ...(accessPointId === undefined
          ? {}
          : { StringEquals: { "elasticfilesystem:AccessPointArn": of("access-point", accessPointId) } }),
      },
    }),
  ];
};
