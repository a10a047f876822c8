import { randomUUID } from "node:crypto";
import { ConditionalCheckFailedException, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { GetCommand, PutCommand, QueryCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { ControlPlaneUnavailableError } from "@openemr-ops/core/errors";
import type { JobEnding, JobLedger, JobRecord, JobStep } from "@openemr-ops/core/jobs";
import { controlPlaneFailure } from "./controlPlaneFailure.ts";
import { documents, expiryFrom, listIndex } from "./jobsTable.ts";

export interface DynamoLedgerSettings {
  /** The name of the jobs' table. */
  readonly table: string;
  readonly now?: () => Date;
  /** A text that no other call gets. */
  readonly mark?: () => string;
  readonly client?: DynamoDBClient;
}

const keyOf = (jobId: string) => ({ pk: `JOB#${jobId}`, sk: "JOB" });
const onceKeyOf = (key: string) => ({ pk: `ONCE#${key}`, sk: "ONCE" });

/** What an item holds beside the record. */
const recordOf = (item: Readonly<Record<string, unknown>>): JobRecord => {
  const { pk, sk, listKey, expiresAt, revision, createdBy, ...record } = item;
  return record as unknown as JobRecord;
};

const withStep = (steps: readonly JobStep[], step: JobStep): readonly JobStep[] => [
  ...steps.filter(({ name }) => name !== step.name),
  step,
];

/** Who began something to be done once has so long to come to its end; milliseconds. */
const claimMilliseconds = 60_000;

/**
 * Job records in a DynamoDB table with the keys `pk` and `sk` and the index `byInstallation`. Each write is one conditional
 * request, so that of several callers one wins. Where it matters who won, it carries a mark of its call: the SDK sends a
 * request again when the answer was lost, and the second must know its own first.
 *
 * @throws {ControlPlaneUnavailableError} retryable
 * @throws {ControlPlaneAccessDeniedError} fatal
 * @throws {ControlPlaneMissingError} fatal: there is no such table
 */
export const dynamoLedger = (settings: DynamoLedgerSettings): JobLedger => {
  const { table, now = () => new Date(), mark = randomUUID } = settings;
  const client = documents(settings.client);

  const failure = (error: unknown, doing: string, right: string) =>
    controlPlaneFailure(error, `${doing} in ${table}`, `${right} on that table`);

  const read = async (jobId: string): Promise<Readonly<Record<string, unknown>> | undefined> => {
    const question = new GetCommand({ TableName: table, Key: keyOf(jobId), ConsistentRead: true });
    const { Item } = await client.send(question).catch((error: unknown) => {
      throw failure(error, `reading the job ${jobId}`, "dynamodb:GetItem");
    });
    return Item;
  };

  const get = async (jobId: string): Promise<JobRecord | undefined> => {
    const item = await read(jobId);
    return item && recordOf(item);
  };

  const list = async (installation: string, limit = Number.POSITIVE_INFINITY): Promise<readonly JobRecord[]> => {
    const records: JobRecord[] = [];
    let start: Record<string, unknown> | undefined;
    while (records.length < limit) {
      const page = await client
        .send(
          new QueryCommand({
            TableName: table,
            IndexName: listIndex,
            KeyConditionExpression: "installation = :installation",
            ExpressionAttributeValues: { ":installation": installation },
            ScanIndexForward: false,
            ...(Number.isFinite(limit) ? { Limit: Math.ceil(limit - records.length) } : {}),
            ...(start ? { ExclusiveStartKey: start } : {}),
          }),
        )
        .catch((error: unknown) => {
          throw failure(error, `listing the jobs of ${installation}`, "dynamodb:Query and its indexes");
        });
      records.push(...(page.Items ?? []).map(recordOf));
      start = page.LastEvaluatedKey;
      if (!start) break;
    }
    return records.slice(0, limit);
  };

  const create = async (record: JobRecord): Promise<{ readonly record: JobRecord; readonly created: boolean }> => {
    const createdBy = mark();
    const item = {
      ...keyOf(record.jobId),
      ...record,
      listKey: `${record.requestedAt}#${record.jobId}`,
      expiresAt: expiryFrom(now()),
      revision: 0,
      createdBy,
    };
    try {
      await client.send(
        new PutCommand({ TableName: table, Item: item, ConditionExpression: "attribute_not_exists(pk)" }),
      );
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException))
        throw failure(error, `recording the job ${record.jobId}`, "dynamodb:PutItem");
      const present = await read(record.jobId);
      if (present) return { record: recordOf(present), created: present.createdBy === createdBy };
      return create(record); // its time had come between the two requests
    }
    return { record: recordOf(item), created: true };
  };

  const note = async (jobId: string, step: JobStep): Promise<void> => {
    for (;;) {
      const item = await read(jobId);
      if (item === undefined || item.endedAt !== undefined) return;
      const { status, startedAt, steps = [] } = recordOf(item);
      try {
        await client.send(
          new UpdateCommand({
            TableName: table,
            Key: keyOf(jobId),
            UpdateExpression:
              "SET steps = :steps, #status = :status, startedAt = if_not_exists(startedAt, :startedAt), revision = :next",
            ConditionExpression: "revision = :revision AND attribute_not_exists(endedAt)",
            ExpressionAttributeNames: { "#status": "status" },
            ExpressionAttributeValues: {
              ":steps": withStep(steps, step),
              ":status": status === "requested" ? "running" : status,
              ":startedAt": startedAt ?? step.at,
              ":revision": item.revision,
              ":next": Number(item.revision) + 1,
            },
          }),
        );
        return;
      } catch (error) {
        // Somebody else changed the record meanwhile: look again.
        if (!(error instanceof ConditionalCheckFailedException))
          throw failure(error, `noting a step of the job ${jobId}`, "dynamodb:UpdateItem");
      }
    }
  };

  const end = async (jobId: string, ending: JobEnding): Promise<JobRecord | undefined> => {
    const changes = Object.entries(ending).filter(([, value]) => value !== undefined);
    try {
      const { Attributes } = await client.send(
        new UpdateCommand({
          TableName: table,
          Key: keyOf(jobId),
          UpdateExpression: `SET ${changes.map(([name]) => `#${name} = :${name}`).join(", ")}`,
          ConditionExpression: "attribute_exists(pk) AND attribute_not_exists(endedAt)",
          ExpressionAttributeNames: Object.fromEntries(changes.map(([name]) => [`#${name}`, name])),
          ExpressionAttributeValues: Object.fromEntries(changes.map(([name, value]) => [`:${name}`, value])),
          ReturnValues: "ALL_NEW",
        }),
      );
      return Attributes && recordOf(Attributes);
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return get(jobId);
      throw failure(error, `ending the job ${jobId}`, "dynamodb:UpdateItem");
    }
  };

  const change = async (key: string, update: string, condition: string, values: Readonly<Record<string, unknown>>) => {
    try {
      await client.send(
        new UpdateCommand({
          TableName: table,
          Key: onceKeyOf(key),
          UpdateExpression: update,
          ConditionExpression: condition,
          ExpressionAttributeValues: { ...values },
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw failure(error, `claiming ${key}`, "dynamodb:UpdateItem");
    }
  };

  /** True when it is ours to do, false when it was done. */
  const claim = async (key: string, claimedBy: string): Promise<boolean> => {
    const time = now().getTime();
    const claimed = await change(
      key,
      "SET claimedBy = :claimedBy, claimEndsAt = :end, done = :no, expiresAt = :expiry",
      "attribute_not_exists(pk) OR (done = :no AND (claimEndsAt <= :now OR claimedBy = :claimedBy))",
      {
        ":claimedBy": claimedBy,
        ":end": time + claimMilliseconds,
        ":no": false,
        ":now": time,
        ":expiry": expiryFrom(now()),
      },
    );
    if (claimed) return true;
    const question = new GetCommand({ TableName: table, Key: onceKeyOf(key), ConsistentRead: true });
    const { Item } = await client.send(question).catch((error: unknown) => {
      throw failure(error, `looking at ${key}`, "dynamodb:GetItem");
    });
    if (Item?.done === true) return false;
    throw new ControlPlaneUnavailableError(`another run is at ${key}; try again in a minute`);
  };

  const once = async (key: string, act: () => Promise<void>): Promise<boolean> => {
    const claimedBy = mark();
    if (!(await claim(key, claimedBy))) return false;
    try {
      await act();
    } catch (error) {
      // A claim that cannot be given back runs out by itself.
      await change(key, "SET claimEndsAt = :zero", "claimedBy = :claimedBy", {
        ":claimedBy": claimedBy,
        ":zero": 0,
      }).catch(() => {});
      throw error;
    }
    await change(key, "SET done = :yes", "claimedBy = :claimedBy", { ":claimedBy": claimedBy, ":yes": true });
    return true;
  };

  return { get, list, create, note, end, once };
};
