import type { Executions } from "@openemr-ops/aws/executions";
import { InvalidInputError } from "@openemr-ops/core/errors";
import type { JobLedger } from "@openemr-ops/core/jobs";
import { stageProblem } from "./optionValues.ts";

/** As much of a stage's control plane as commands need: its records, and its workflows. */
export interface ControlPlane {
  readonly ledger: JobLedger;
  readonly executions: Pick<Executions, "find" | "start">;
}

/**
 * The stage that the command works on.
 *
 * @throws {InvalidInputError} fatal: the environment sets a name that no stage may have
 */
export const stageOf = (
  said: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string => {
  const stage = said ?? environment.OPENEMR_OPS_STAGE ?? "production";
  const problem = stageProblem(stage);
  if (problem !== undefined) throw new InvalidInputError([{ path: "OPENEMR_OPS_STAGE", message: problem }]);
  return stage;
};
