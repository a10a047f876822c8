import { dynamoLedger } from "@openemr-ops/aws/dynamoLedger";
import { dynamoLocks } from "@openemr-ops/aws/dynamoLocks";
import { eventPublisher } from "@openemr-ops/aws/eventPublisher";
import { taskTokens } from "@openemr-ops/aws/taskTokens";
import { namesOf } from "@openemr-ops/core/names";
import type { WorkflowPorts } from "./link.ts";

/** The workflow's side of one stage, in AWS's account and region of the environment. */
export const openWorkflow = (stage: string, now: () => Date): WorkflowPorts => {
  const { jobsTable: table, bus } = namesOf(stage);
  return {
    ledger: dynamoLedger({ table, now }),
    locks: dynamoLocks({ table, now }),
    publish: eventPublisher({ bus }),
    tokens: taskTokens(),
  };
};
