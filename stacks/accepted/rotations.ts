import type { Stack } from "aws-cdk-lib";
import { accept, type Finding } from "./accept.ts";
import {
  answersSecretsManager,
  answersWorkflow,
  anyExecution,
  anyRevision,
  configurationInEnvironment,
  logsAndTraces,
  logsErrorsOnly,
  looksAtTaskDefinitions,
  newTasks,
  outsideVpc,
  ownRights,
  pullsImage,
  secretsOfRds,
  sharedConcurrency,
  traces,
  unknownKey,
  userOfAnyPath,
} from "./findings.ts";

/** What is accepted in an installation's stack for its section `rotations`. */
export const acceptInRotations = (
  stack: Stack,
  there: Readonly<Record<"rotateDatabase" | "rotateAdmin" | "rotateMaster" | "rotateSmtp" | "health", boolean>>,
): void => {
  const tasks = {
    ...(there.rotateDatabase ? { RotateDatabase: "RotateDatabaseCredential" } : {}),
    ...(there.rotateAdmin ? { RotateAdmin: "RotateAdminPassword" } : {}),
    ...(there.rotateMaster ? { RotateMaster: "RotateMasterCredential" } : {}),
    ...(there.rotateSmtp ? { RotateSmtp: "RotateSmtpCredential" } : {}),
  };
  const further: Readonly<Record<string, readonly Finding[]>> = {
    RotateMaster: [secretsOfRds],
    RotateSmtp: [userOfAnyPath, looksAtTaskDefinitions],
  };
  for (const [name, workflow] of Object.entries(tasks)) {
    accept(stack, `${name}TaskRole/DefaultPolicy/Resource`, ownRights, unknownKey, ...(further[name] ?? []));
    accept(stack, `${name}TaskStartRole/DefaultPolicy/Resource`, ownRights, pullsImage);
    accept(stack, `${name}Task/Resource`, configurationInEnvironment);
    accept(stack, `${workflow}/Role/DefaultPolicy/Resource`, ownRights, logsAndTraces, anyRevision, newTasks);
    accept(stack, `${workflow}/Workflow/Resource`, logsErrorsOnly);
  }
  if (there.rotateDatabase && there.health) {
    accept(stack, "RotateSecretRole/DefaultPolicy/Resource", ownRights, traces, anyExecution, unknownKey);
    accept(
      stack,
      "RotateSecret/Resource",
      outsideVpc("Secrets Manager and Step Functions"),
      sharedConcurrency,
      answersSecretsManager,
    );
  }
  if (there.rotateSmtp) {
    accept(stack, "HoldLocksRole/DefaultPolicy/Resource", ownRights, traces);
    accept(stack, "HoldLocks/Resource", outsideVpc("DynamoDB"), sharedConcurrency, answersWorkflow);
  }
  for (const name of ["StartDeployment", "FollowDeployment"]) {
    accept(stack, `${name}Role/DefaultPolicy/Resource`, ownRights, traces);
    accept(stack, `${name}/Resource`, outsideVpc("ECS, DynamoDB and EventBridge"), sharedConcurrency, answersWorkflow);
  }
  if (there.health) {
    accept(stack, "RedeployedRole/DefaultPolicy/Resource", ownRights, traces);
    accept(stack, "Redeployed/Resource", outsideVpc("OpenEMR's public address"), sharedConcurrency, answersWorkflow);
  }
  accept(stack, "RedeployService/Role/DefaultPolicy/Resource", ownRights, logsAndTraces);
  accept(stack, "RedeployService/Workflow/Resource", logsErrorsOnly);
};
