import { dynamoThreads } from "@openemr-ops/aws/dynamoThreads";
import { ControlPlaneMissingError } from "@openemr-ops/core/errors";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { threadContract } from "../../contract/threads.ts";
import { type AwsServer, createJobsTable, startAws } from "../../support/awsServer.ts";

let aws: AwsServer;
let count = 0;
beforeAll(async () => {
  aws = await startAws();
});
afterAll(() => aws[Symbol.asyncDispose]());

threadContract("a DynamoDB table", async () => {
  const table = `threads-${count++}`;
  await createJobsTable(table);
  return dynamoThreads({ table });
});

describe("threads in a DynamoDB table", () => {
  it("name the table that is not there", async () => {
    const threads = dynamoThreads({ table: "no-such-table" });
    const job = { installation: "clinic-a", job: "job-1" };

    await expect(threads.get(job)).rejects.toThrow(ControlPlaneMissingError);
    await expect(threads.put(job, { channel: "C0123456789", ts: "1.1" })).rejects.toThrow(/no-such-table/);
  });
});
