import type { JobEvent } from "@openemr-ops/events/jobEvent";
import type { BeginRequest } from "@openemr-ops/events/workflowSteps";
import type { JobPorts } from "@openemr-ops/jobs/ports";
import { type ManualClock, manualClock } from "./manualClock.ts";
import { type MemoryJobLedger, memoryJobLedger } from "./memoryJobLedger.ts";
import { type MemoryLocks, memoryLocks } from "./memoryLocks.ts";

/** Records, locks and bus of one stage that live in this process, and show what was left behind. */
export interface MemoryControlPlane extends JobPorts {
  readonly ledger: MemoryJobLedger;
  readonly locks: MemoryLocks;
  readonly clock: ManualClock;
  /** What was published, in order. */
  readonly events: readonly JobEvent[];
}

export const memoryControlPlane = (): MemoryControlPlane => {
  const clock = manualClock();
  const events: JobEvent[] = [];
  return {
    clock,
    now: clock.now,
    ledger: memoryJobLedger(clock.now),
    locks: memoryLocks(clock.now),
    events,
    publish: async (event) => void events.push(structuredClone(event)),
  };
};

/** Names of the events that tell of an end. */
export const endsIn = ({ events }: Pick<MemoryControlPlane, "events">): readonly string[] =>
  events.map(({ name }) => name).filter((name) => name === "JobSucceeded" || name === "JobFailed");

/** What happens at one call of a port: goes on, fails before it took effect, or fails after. */
export type Interference = (call: string) => Promise<"pass" | "fail before" | "fail after">;

/** The same ports with something happening at each call. */
export const interferedPorts = (ports: JobPorts, interfere: Interference, failure: () => Error): JobPorts => {
  const around =
    <Args extends readonly unknown[], Result>(call: string, run: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      const what = await interfere(call);
      if (what === "fail before") throw failure();
      const result = await run(...args);
      if (what === "fail after") throw failure();
      return result;
    };
  const { ledger, locks, publish, now } = ports;
  return {
    now,
    publish: around("publish", publish),
    ledger: {
      get: around("get", ledger.get),
      list: around("list", ledger.list),
      create: around("create", ledger.create),
      note: around("note", ledger.note),
      end: around("end", ledger.end),
      once: around("once", ledger.once),
    },
    locks: {
      acquire: around("acquire", locks.acquire),
      renew: around("renew", locks.renew),
      release: around("release", locks.release),
      expireWithin: around("expireWithin", locks.expireWithin),
    },
  };
};

export const stageOfTests = "test";

const arn = (what: string) => `arn:aws:states:eu-central-1:123456789012:${what}`;

/** ARNs of a workflow of clinic-a and of one execution of it. */
export const arnsOf = (workflow: string, jobId: string, installation = "clinic-a") => ({
  stateMachine: arn(`stateMachine:openemr-ops-${stageOfTests}-${installation}-${workflow}`),
  execution: arn(`execution:openemr-ops-${stageOfTests}-${installation}-${workflow}:${jobId}`),
});

/** What the first step of a dump of clinic-a is given. */
export const aBeginRequest = (changes: Partial<BeginRequest> & { readonly jobId?: string } = {}): BeginRequest => {
  const { jobId = "01K9ZV6T5W8QH3N2R4X7BCDEFG", ...fields } = changes;
  return {
    kind: "dump",
    installation: "clinic-a",
    execution: {
      id: arnsOf("DumpInstallation", jobId).execution,
      name: jobId,
      startedAt: "2026-11-20T12:00:00.000Z",
    },
    input: {},
    ...fields,
  };
};
