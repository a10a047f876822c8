import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { dynamoLedger } from "@openemr-ops/aws/dynamoLedger";
import { ControlPlaneMissingError } from "@openemr-ops/core/errors";
import type { JobEnding, OnceKey } from "@openemr-ops/core/jobs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { jobLedgerContract } from "../../contract/jobLedger.ts";
import { aJobRecord } from "../../support/aJobRecord.ts";
import { type AwsServer, createJobsTable, startAws } from "../../support/awsServer.ts";

let aws: AwsServer;
let count = 0;
const freshTable = async (): Promise<string> => {
  const table = `jobs-${count++}`;
  await createJobsTable(table);
  return table;
};
beforeAll(async () => {
  aws = await startAws();
});
afterAll(() => aws[Symbol.asyncDispose]());

jobLedgerContract("a DynamoDB table", async ({ now }) => {
  const table = await freshTable();
  return () => dynamoLedger({ table, now });
});

const told: OnceKey = { topic: "ended", installation: "clinic-a", key: "a" };
const succeeded: JobEnding = { status: "succeeded", endedAt: "2026-11-20T12:10:00.000Z" };
const twenty = <Result>(act: (index: number) => Promise<Result>): Promise<readonly Result[]> =>
  Promise.all(Array.from({ length: 20 }, (_, index) => act(index)));

describe("job records in a DynamoDB table", () => {
  it("lie under the installation and the job's name, and expire after 400 days", async () => {
    const table = await freshTable();
    const record = aJobRecord({ at: new Date("2026-11-20T12:00:00.000Z") });
    const ledger = dynamoLedger({ table, now: () => new Date("2026-11-20T12:00:00.000Z") });
    await ledger.create(record);
    await ledger.once(told, async () => {});

    const { Items = [] } = await new DynamoDBClient().send(new ScanCommand({ TableName: table }));
    const expiresAt = { N: String(Date.UTC(2027, 11, 25, 12) / 1000) };
    expect(Items.find(({ sk }) => sk?.S === record.jobId)).toMatchObject({
      pk: { S: "JOB#clinic-a" },
      installation: { S: "clinic-a" },
      listKey: { S: `2026-11-20T12:00:00.000Z#${record.jobId}` },
      expiresAt,
    });
    expect(Items.find(({ sk }) => sk?.S === "a")).toMatchObject({ pk: { S: "ONCE#ended#clinic-a" }, expiresAt });
  });

  it("have one creator, one ending and one teller of twenty that come at once", async () => {
    const table = await freshTable();
    const record = aJobRecord();
    const created = await twenty(() => dynamoLedger({ table }).create(record));
    expect(created.filter((answer) => answer.created)).toHaveLength(1);

    const endings = await twenty((index) => dynamoLedger({ table }).end(record, { ...succeeded, figures: { index } }));
    expect(new Set(endings.map((ended) => ended?.figures?.index)).size).toBe(1);

    let times = 0;
    await Promise.allSettled(
      Array.from({ length: 20 }, () =>
        dynamoLedger({ table }).once(told, async () => {
          times += 1;
        }),
      ),
    );
    expect(times).toBe(1);
  });

  it("keep twenty steps that are noted at once", async () => {
    const table = await freshTable();
    const record = aJobRecord();
    const ledger = dynamoLedger({ table });
    await ledger.create(record);
    await twenty((index) =>
      dynamoLedger({ table }).note(record, { name: `step ${index}`, by: "container", at: "2026-11-20T12:01:00.000Z" }),
    );

    expect((await ledger.get(record))?.steps).toHaveLength(20);
  });

  it("know their own first request when its answer was lost", async () => {
    const table = await freshTable();
    const record = aJobRecord();
    const lossy = losingAnswers();
    const creating = dynamoLedger({ table, client: lossy.client });
    expect(await creating.create(record)).toEqual({ record, created: true });
    expect(lossy.lost).toEqual(["PutItemCommand", "GetItemCommand"]);

    let times = 0;
    const telling = dynamoLedger({ table, client: losingAnswers().client });
    expect(
      await telling.once(told, async () => {
        times += 1;
      }),
    ).toBe(true);
    expect(times).toBe(1);
    expect(await telling.end(record, succeeded)).toEqual({ ...record, ...succeeded });
    await telling.note(record, { name: "late", by: "container", at: "2026-11-20T12:11:00.000Z" });
  });

  it("come page by page when they are many", async () => {
    const table = await freshTable();
    const ledger = dynamoLedger({ table });
    const input = { text: "x".repeat(150_000) };
    for (let minute = 0; minute < 10; minute += 1)
      await ledger.create({ ...aJobRecord({ at: new Date(Date.UTC(2026, 10, 20, 12, minute)) }), input });

    expect(await ledger.list("clinic-a")).toHaveLength(10);
    expect((await ledger.list("clinic-a", 9)).map(({ requestedAt }) => requestedAt.slice(14, 16))).toEqual([
      "09",
      "08",
      "07",
      "06",
      "05",
      "04",
      "03",
      "02",
      "01",
    ]);
  });

  it("name the table that is not there", async () => {
    const ledger = dynamoLedger({ table: "no-such-table" });
    const record = aJobRecord();
    for (const call of [
      () => ledger.get(record),
      () => ledger.list("clinic-a"),
      () => ledger.create(record),
      () => ledger.note(record, { name: "begun", by: "workflow", at: record.requestedAt }),
      () => ledger.end(record, succeeded),
      () => ledger.once(told, async () => {}),
    ]) {
      const refusal = call();
      await expect(refusal).rejects.toThrow(ControlPlaneMissingError);
      await expect(refusal).rejects.toThrow(/no-such-table/);
    }
  });
});

/** A client that loses the answer to its first request of each kind, as a broken connection does; `lost` names them. */
const losingAnswers = () => {
  const lost: string[] = [];
  const client = new DynamoDBClient();
  client.middlewareStack.add(
    (next, { commandName = "" }) =>
      async (args) => {
        const answer = await next(args);
        if (lost.includes(commandName)) return answer;
        lost.push(commandName);
        throw Object.assign(new Error("the connection was reset"), { code: "ECONNRESET" });
      },
    { step: "deserialize", priority: "low" },
  );
  return { client, lost };
};
