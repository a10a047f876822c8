import { dynamoLocks } from "@openemr-ops/aws/dynamoLocks";
import { ControlPlaneMissingError, InstallationBusyError } from "@openemr-ops/core/errors";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aLockRequest, lockContract } from "../../contract/locks.ts";
import { type AwsServer, createJobsTable, startAws } from "../../support/awsServer.ts";
import { manualClock } from "../../support/manualClock.ts";

let aws: AwsServer;
let count = 0;
const freshTable = async (): Promise<string> => {
  const table = `locks-${count++}`;
  await createJobsTable(table);
  return table;
};
beforeAll(async () => {
  aws = await startAws();
});
afterAll(() => aws[Symbol.asyncDispose]());

lockContract("a DynamoDB table", async ({ now }) => {
  const table = await freshTable();
  return () => dynamoLocks({ table, now });
});

describe("locks in a DynamoDB table", () => {
  it("go to one of twenty jobs that ask at once, free or with a dead holder", async () => {
    const clock = manualClock();
    const table = await freshTable();
    for (const round of [1, 2, 3]) {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 20 }, (_, job) =>
          dynamoLocks({ table, now: clock.now }).acquire(aLockRequest({ owner: `job-${round}-${job}` })),
        ),
      );

      const winners = outcomes.filter((outcome) => outcome.status === "fulfilled");
      expect(winners.map(({ value }) => value.fence)).toEqual([round]);
      for (const outcome of outcomes)
        if (outcome.status === "rejected") expect(outcome.reason).toBeInstanceOf(InstallationBusyError);
      clock.advance(60);
    }
  });

  it("give one owner that asks twenty times at once the same fence each time", async () => {
    const table = await freshTable();
    const locks = await Promise.all(
      Array.from({ length: 20 }, () => dynamoLocks({ table, now: manualClock().now }).acquire(aLockRequest())),
    );

    expect(new Set(locks.map(({ fence }) => fence))).toEqual(new Set([1]));
  });

  it("keep the fence of an owner that comes back after its lease ran out, when nobody came between", async () => {
    const clock = manualClock();
    const locks = dynamoLocks({ table: await freshTable(), now: clock.now });
    const first = await locks.acquire(aLockRequest());
    clock.advance(61);

    expect((await locks.acquire(aLockRequest())).fence).toBe(first.fence);
    expect((await locks.renew(first)).fence).toBe(first.fence);
  });

  it("name the table that is not there", async () => {
    const refusal = dynamoLocks({ table: "no-such-table", now: manualClock().now }).acquire(aLockRequest());

    await expect(refusal).rejects.toThrow(ControlPlaneMissingError);
    await expect(refusal).rejects.toThrow(/no-such-table/);
  });
});
