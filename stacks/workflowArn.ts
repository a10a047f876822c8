import type { namesOf, WorkflowKind } from "@openemr-ops/core/names";
import { ArnFormat, type Stack } from "aws-cdk-lib";

/** ARN of an installation's workflow, from its name: tasks and schedules need it before it is created. */
export const workflowArn = (
  stack: Stack,
  names: ReturnType<typeof namesOf>,
  installation: string,
  kind: WorkflowKind,
): string =>
  stack.formatArn({
    service: "states",
    resource: "stateMachine",
    resourceName: names.stateMachine(installation, kind),
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
