import { CfnOutput, type Stack } from "aws-cdk-lib";
import { CfnPermission } from "aws-cdk-lib/aws-lambda";
import type { DeployedInstallation, DeployedRotations } from "./deployment.ts";
import type { TaskResourcesContext } from "./InstallationStack.ts";
import { opsFunction } from "./opsFunction.ts";
import { readSecrets, wholeArn, writeVersions } from "./policies/readSecrets.ts";
import { startWorkflows } from "./policies/startWorkflows.ts";
import { describeExecutions } from "./policies/watchWorkflow.ts";
import { workflowArn } from "./workflowArn.ts";

/**
 * What Secrets Manager calls to rotate the secret of the database users, once a person has attached it: schedules are those of
 * the configuration. Only Secrets Manager may call it, for this secret.
 */
export const rotateSecretFunction = (
  stack: Stack,
  { id }: Pick<DeployedInstallation, "id">,
  { slots }: NonNullable<DeployedRotations["database"]>,
  { deployment: { names, removable, stage }, plane }: Pick<TaskResourcesContext, "deployment" | "plane">,
): void => {
  const workflow = workflowArn(stack, names, id, "rotateDatabase");
  const rotate = opsFunction(stack, "RotateSecret", {
    key: plane.key,
    removable,
    handler: "functions/rotation/rotateSecret.handler",
    description: `Rotates the database user of ${id} when Secrets Manager asks for it`,
    grants: [
      startWorkflows([workflow]),
      describeExecutions(workflow),
      readSecrets(stack, [slots]),
      writeVersions(stack, [slots]),
    ],
    environment: {
      OPENEMR_OPS_STAGE: stage,
      OPENEMR_OPS_INSTALLATION: id,
      OPENEMR_OPS_SECRET: slots.arn,
      OPENEMR_OPS_WORKFLOW: workflow,
    },
  });
  new CfnPermission(stack, "RotateSecretPermission", {
    action: "lambda:InvokeFunction",
    functionName: rotate.functionArn,
    principal: "secretsmanager.amazonaws.com",
    sourceAccount: stack.account,
    sourceArn: wholeArn(slots.arn),
  });
  new CfnOutput(stack, "RotateSecretFunctionArn", { value: rotate.functionArn });
};
