import type { namesOf } from "@openemr-ops/core/names";
import { jobKinds, type WorkflowKind } from "@openemr-ops/events/jobKinds";
import { ArnFormat, type Stack } from "aws-cdk-lib";

/**
 * ARN of an installation's workflow, from its name: tasks and schedules need it before it is created.
 *
 * @param installation `*` for those of every installation
 */
export const workflowArn = (
  stack: Stack,
  names: ReturnType<typeof namesOf>,
  installation: string,
  kind: WorkflowKind,
): string =>
  stack.formatArn({
    service: "states",
    resource: "stateMachine",
    resourceName: names.stateMachine(installation, jobKinds[kind].workflow),
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
