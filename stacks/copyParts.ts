import type { Stack } from "aws-cdk-lib";
import type { FargateTaskDefinition } from "aws-cdk-lib/aws-ecs";
import { acceptInCopies } from "./accepted/copies.ts";
import { alarm, quarter } from "./alarm.ts";
import type { DeployedDumps, DeployedInstallation } from "./deployment.ts";
import type { DefinedWorkflow } from "./dumpResources.ts";
import type { InstallationContext } from "./InstallationStack.ts";
import { opsFunction } from "./opsFunction.ts";
import { onBucket } from "./policies/onBucket.ts";
import { openToRead } from "./policies/openDumps.ts";
import { readDumps } from "./policies/readDumps.ts";
import { readStoreSecret } from "./policies/readSecrets.ts";
import { copyWorkflow } from "./workflows/copyWorkflow.ts";
import type { Containers } from "./workflows/steps.ts";

interface CopyTasks {
  readonly copy: FargateTaskDefinition;
  readonly clearCopy: FargateTaskDefinition;
}

/** What copies of the dumps need: the look at each, and the workflow that makes one. */
export const copyParts = (
  stack: Stack,
  { id }: DeployedInstallation,
  { copies, format }: DeployedDumps,
  { copy, clearCopy }: CopyTasks,
  {
    deployment: { removable, stage },
    plane,
    containers,
  }: Pick<InstallationContext, "deployment" | "plane"> & { readonly containers: Containers },
): DefinedWorkflow => {
  const confirm = opsFunction(stack, "ConfirmCopy", {
    handler: "functions/job/confirmCopy.handler",
    description: `Looks at the copies of the dumps of ${id} themselves: is the newest one there, whole?`,
    grants: [copies.flatMap((each) => onBucket(stack, each, readDumps, openToRead)), readStoreSecret(stack, ...copies)],
    environment: {
      OPENEMR_OPS_STAGE: stage,
      OPENEMR_OPS_INSTALLATION: id,
      OPENEMR_OPS_FORMAT: format,
      OPENEMR_OPS_COPIES: JSON.stringify(
        copies.map(({ destination, secrets }) => ({
          destination,
          ...(secrets.store ? { secret: secrets.store } : {}),
        })),
      ),
    },
    key: plane.key,
    removable,
    timeoutSeconds: 900,
    memoryMiB: 1024,
  });
  alarm(stack, "ConfirmCopyErrors", plane.alarms, {
    metric: confirm.metricErrors(quarter),
    description: `A copy of the dumps of ${id} is not confirmed (runbook: copy-failed)`,
  });
  acceptInCopies(stack);
  return {
    tasks: [copy, clearCopy],
    functions: [confirm],
    define: (scope, workflow) =>
      copyWorkflow(scope, workflow, containers, {
        copy: copy.taskDefinitionArn,
        confirm,
        clear: clearCopy.taskDefinitionArn,
      }),
  };
};
