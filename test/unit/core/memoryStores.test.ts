import { jobContract } from "../../contract/jobs.ts";
import { lockContract } from "../../contract/locks.ts";
import { memoryJobs } from "../../support/memoryJobs.ts";
import { memoryLocks } from "../../support/memoryLocks.ts";

lockContract("the double in memory", async (clock) => {
  const store = memoryLocks(clock.now);
  return () => store;
});
jobContract("the double in memory", async () => memoryJobs());
