import type { HealthSettings } from "@openemr-ops/core/config/settings";
import { jobKinds } from "@openemr-ops/events/jobKinds";
import { Duration, type Stack } from "aws-cdk-lib";
import { Construct } from "constructs";
import { accept } from "./accepted/accept.ts";
import {
  answersWorkflow,
  logsAndTraces,
  logsErrorsOnly,
  outsideVpc,
  ownRights,
  sharedConcurrency,
  traces,
} from "./accepted/findings.ts";
import type { DeployedInstallation } from "./deployment.ts";
import type { InstallationContext, SectionResources } from "./InstallationStack.ts";
import { opsFunction } from "./opsFunction.ts";
import { invokeFunctions } from "./policies/invokeFunctions.ts";
import { listDumps } from "./policies/listDumps.ts";
import { onBucket } from "./policies/onBucket.ts";
import { readStoreSecret } from "./policies/readSecrets.ts";
import { storeEnvironment } from "./storeEnvironment.ts";
import { functionWorkflow } from "./workflows/functionWorkflow.ts";
import { stateMachine } from "./workflows/stateMachine.ts";

/** What the section `health` of an installation needs: a function that looks, and its workflow. */
export const healthResources = (
  stack: Stack,
  { id, dumps }: DeployedInstallation,
  { url, bodyIncludes, tls }: HealthSettings,
  { deployment, plane }: Pick<InstallationContext, "deployment" | "plane">,
): SectionResources => {
  const { names, removable, stage } = deployment;
  const { begin, finish, fail, key, workflowLog: log } = plane;
  const work = opsFunction(stack, "Health", {
    handler: "functions/health/check.handler",
    description: `Checks whether OpenEMR of ${id} works, and how old its dumps are`,
    grants: dumps ? [onBucket(stack, dumps, listDumps), readStoreSecret(stack, dumps)] : [],
    environment: {
      OPENEMR_OPS_STAGE: stage,
      OPENEMR_OPS_INSTALLATION: id,
      OPENEMR_OPS_HEALTH: JSON.stringify({ url, bodyIncludes, tls }),
      ...(dumps ? storeEnvironment(dumps) : {}),
    },
    key,
    removable,
    timeoutSeconds: 60,
  });
  const { workflow } = jobKinds.health;
  const scope = new Construct(stack, workflow);
  const states = functionWorkflow(
    scope,
    { kind: "health", installation: id, begin, finish, fail },
    { name: "Check health", work, minutes: 2 },
  );
  const machine = stateMachine(scope, {
    name: names.stateMachine(id, workflow),
    definition: states,
    timeout: Duration.hours(2),
    log,
    grants: [invokeFunctions(begin, finish, fail, work)],
  });
  accept(stack, "HealthRole/DefaultPolicy/Resource", ownRights, traces);
  accept(stack, "Health/Resource", outsideVpc("OpenEMR's public address and AWS"), sharedConcurrency, answersWorkflow);
  accept(stack, `${workflow}/Role/DefaultPolicy/Resource`, ownRights, logsAndTraces);
  accept(stack, `${workflow}/Workflow/Resource`, logsErrorsOnly);
  return { stateMachines: [machine] };
};
