import type { Stack } from "aws-cdk-lib";
import { accept } from "./accept.ts";
import {
  anyRevision,
  configurationInEnvironment,
  logsAndTraces,
  logsErrorsOnly,
  newTasks,
  objectsOfDumps,
  ownRights,
  pullsImage,
  unknownKey,
} from "./findings.ts";

/** What is accepted in an installation's stack for its section `exports`. */
export const acceptInExports = (stack: Stack): void => {
  for (const name of ["ExportDatabase", "ExportSites"]) {
    accept(stack, `${name}TaskRole/DefaultPolicy/Resource`, ownRights, objectsOfDumps, unknownKey);
    accept(stack, `${name}TaskStartRole/DefaultPolicy/Resource`, ownRights, pullsImage);
    accept(stack, `${name}Task/Resource`, configurationInEnvironment);
    accept(stack, `${name}/Role/DefaultPolicy/Resource`, ownRights, logsAndTraces, anyRevision, newTasks);
    accept(stack, `${name}/Workflow/Resource`, logsErrorsOnly);
  }
};
