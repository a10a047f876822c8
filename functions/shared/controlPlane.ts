import { dynamoLedger } from "@openemr-ops/aws/dynamoLedger";
import { dynamoLocks } from "@openemr-ops/aws/dynamoLocks";
import { eventPublisher } from "@openemr-ops/aws/eventPublisher";
import { namesOf } from "@openemr-ops/core/names";
import type { JobPorts } from "@openemr-ops/jobs/ports";
import { type Environment, readStage } from "./environment.ts";

/** The records, locks and bus of the stage that a function belongs to. */
export const controlPlane = (environment: Environment): { readonly stage: string; readonly ports: JobPorts } => {
  const stage = readStage(environment);
  const { jobsTable: table, bus } = namesOf(stage);
  const now = () => new Date();
  const ports = {
    ledger: dynamoLedger({ table, now }),
    locks: dynamoLocks({ table, now }),
    publish: eventPublisher({ bus }),
    now,
  };
  return { stage, ports };
};
