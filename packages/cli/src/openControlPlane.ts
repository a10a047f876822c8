import { dynamoLedger } from "@openemr-ops/aws/dynamoLedger";
import { executions } from "@openemr-ops/aws/executions";
import { namesOf } from "@openemr-ops/core/names";
import type { ControlPlane } from "./controlPlane.ts";

/** The control plane of a stage in AWS's account and region of the environment, or at the address in `AWS_ENDPOINT_URL`. */
export const openControlPlane = (stage: string): ControlPlane => ({
  ledger: dynamoLedger({ table: namesOf(stage).jobsTable }),
  executions: executions(),
});
