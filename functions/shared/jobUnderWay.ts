import { dynamoLedger } from "@openemr-ops/aws/dynamoLedger";
import { dynamoLocks } from "@openemr-ops/aws/dynamoLocks";
import { eventPublisher } from "@openemr-ops/aws/eventPublisher";
import { workflowLeaseSeconds } from "@openemr-ops/core/locks";
import { namesOf } from "@openemr-ops/core/names";
import type { LockedResource } from "@openemr-ops/events/jobKinds";
import type { JobInHand, TaskReport } from "@openemr-ops/events/workflowSteps";
import { logger } from "./taskHandler.ts";

/** A job that waits for a service of AWS: no container holds its locks meanwhile, and none tells how far it is. */
export const jobUnderWay = (stage: string) => {
  const { jobsTable: table, bus } = namesOf(stage);
  const now = () => new Date();
  const ledger = dynamoLedger({ table, now });
  const locks = dynamoLocks({ table, now });
  const publish = eventPublisher({ bus });
  return {
    /** @throws {InstallationBusyError} the lease was lost to another job */
    hold: async (
      { installation, jobId }: JobInHand,
      resources: readonly LockedResource[],
      leaseSeconds = workflowLeaseSeconds,
    ): Promise<void> => {
      for (const resource of resources) await locks.acquire({ installation, resource, owner: jobId, leaseSeconds });
    },
    /** Never fails: progress that was not noted changes nothing. */
    note: async (job: JobInHand, name: string, figures: TaskReport["figures"]): Promise<void> => {
      const { jobId, kind, installation, dryRun } = job;
      const at = now().toISOString();
      const detail = { version: 1 as const, jobId, kind, installation, dryRun, at, step: name, figures };
      for (const note of [
        () => ledger.note(job, { name, by: "function", at, figures }),
        () => publish({ name: "JobProgressed", detail }),
      ])
        await note().catch((error: unknown) => logger.warn("progress was not noted", { error: String(error) }));
    },
  };
};
