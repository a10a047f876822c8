import type { Stack } from "aws-cdk-lib";
import { type PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { DeployedExports } from "./deployment.ts";
import { invokeFunctions } from "./policies/invokeFunctions.ts";
import { onBucket } from "./policies/onBucket.ts";
import { openToRead } from "./policies/openDumps.ts";
import { readDumps } from "./policies/readDumps.ts";

/** The execution role of an installation's notebooks: start exports, follow them, read them, and nothing else in the account. */
export const notebookRole = (
  stack: Stack,
  exports: DeployedExports,
  functions: readonly { readonly functionArn: string }[],
  ...more: readonly (readonly PolicyStatement[])[]
): Role => {
  const role = new Role(stack, "NotebookRole", {
    assumedBy: new ServicePrincipal("sagemaker.amazonaws.com", {
      conditions: { StringEquals: { "aws:SourceAccount": stack.account } },
    }),
  });
  const grants = [invokeFunctions(...functions), onBucket(stack, exports, readDumps, openToRead), ...more];
  for (const statement of grants.flat()) role.addToPolicy(statement);
  return role;
};
