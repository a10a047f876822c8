import type { Stack } from "aws-cdk-lib";
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { accept } from "./accepted/accept.ts";
import { asksDataSync, fileLists, ownRights, unknownKey } from "./accepted/findings.ts";
import type { DeployedExports } from "./deployment.ts";
import { halfOf } from "./exportTasks.ts";
import { onBucket } from "./policies/onBucket.ts";
import { openToRead } from "./policies/openDumps.ts";
import { readFileLists, runDataSync } from "./policies/runDataSync.ts";

/** What engine `datasync` needs: the role with which DataSync reads lists of files, and the right to start the task. */
export const dataSyncParts = (stack: Stack, exports: DeployedExports, task: string) => {
  const role = new Role(stack, "DataSyncListRole", {
    assumedBy: new ServicePrincipal("datasync.amazonaws.com", {
      conditions: { StringEquals: { "aws:SourceAccount": stack.account } },
    }),
  });
  for (const statement of onBucket(stack, halfOf("sites", exports), readFileLists, openToRead))
    role.addToPolicy(statement);
  accept(stack, "DataSyncListRole/DefaultPolicy/Resource", ownRights, fileLists, unknownKey);
  accept(stack, "ExportSitesTaskRole/DefaultPolicy/Resource", asksDataSync);
  return { grants: runDataSync(task, role), environment: { OPENEMR_OPS_DATASYNC_ROLE: role.roleArn } };
};
