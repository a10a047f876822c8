import { partitions } from "@openemr-ops/core/partitions";
import type { Stack } from "aws-cdk-lib";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { TaskResourcesContext } from "./InstallationStack.ts";
import { opsFunction } from "./opsFunction.ts";
import { jobItems } from "./policies/jobItems.ts";
import { useKey } from "./policies/useKey.ts";

/** The function that holds a job's locks while its workflow waits for hours, and no container renews them. */
export const holdLocksFunction = (
  stack: Stack,
  installation: string,
  { deployment: { removable, stage }, plane: { key, table } }: Pick<TaskResourcesContext, "deployment" | "plane">,
): IFunction =>
  opsFunction(stack, "HoldLocks", {
    handler: "functions/rotation/holdLocks.handler",
    description: `Holds the locks of a job of ${installation} while its workflow waits`,
    grants: [
      jobItems(table, [partitions.locks(installation)], ["GetItem", "UpdateItem"]),
      useKey(stack, key, "dynamodb"),
    ],
    environment: { OPENEMR_OPS_STAGE: stage },
    key,
    removable,
  });
