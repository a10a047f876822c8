import { jobLedgerContract } from "../../contract/jobLedger.ts";
import { jobContract } from "../../contract/jobs.ts";
import { lockContract } from "../../contract/locks.ts";
import { memoryJobLedger } from "../../support/memoryJobLedger.ts";
import { memoryJobs } from "../../support/memoryJobs.ts";
import { memoryLocks } from "../../support/memoryLocks.ts";

lockContract("the double in memory", async (clock) => {
  const store = memoryLocks(clock.now);
  return () => store;
});
jobContract("the double in memory", async () => memoryJobs());
jobLedgerContract("the double in memory", async (clock) => {
  const ledger = memoryJobLedger(clock.now);
  return () => ledger;
});
