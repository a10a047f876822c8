import { type DeployedDestination, readDeployedDestination } from "../shared/deployedDestination.ts";
import { type Environment, readStage, readVariable } from "../shared/environment.ts";

/** What the functions of one installation's exports work with. */
export interface ExportFunctionSettings {
  readonly stage: string;
  readonly installation: string;
  readonly store: DeployedDestination;
}

/** @throws {InvalidInputError} fatal: names the variable, or the field in it */
export const readExportSettings = (environment: Environment): ExportFunctionSettings => ({
  stage: readStage(environment),
  installation: readVariable(environment, "OPENEMR_OPS_INSTALLATION"),
  store: readDeployedDestination(readVariable(environment, "OPENEMR_OPS_DESTINATION"), environment),
});
