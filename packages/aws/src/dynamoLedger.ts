import { randomUUID } from "node:crypto";
import { ConditionalCheckFailedException, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { GetCommand, PutCommand, QueryCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { ControlPlaneUnavailableError } from "@openemr-ops/core/errors";
import type { JobEnding, JobFilter, JobKey, JobLedger, JobRecord, JobStep, OnceKey } from "@openemr-ops/core/jobs";
import { partitions } from "@openemr-ops/core/partitions";
import { controlPlaneFailure } from "./controlPlaneFailure.ts";
import { documents, expiryFrom, listIndex } from "./jobsTable.ts";

export interface DynamoLedgerSettings {
  /** The name of the jobs' table. */
  readonly table: string;
  readonly now?: () => Date;
  /** A text that is different in each call. */
  readonly mark?: () => string;
  readonly client?: DynamoDBClient;
}

type Key = Readonly<Record<"pk" | "sk", string>>;
type Item = Readonly<Record<string, unknown>>;

const keyOf = ({ installation, jobId }: JobKey): Key => ({ pk: partitions.records(installation), sk: jobId });
const stepsKeyOf = ({ installation, jobId }: JobKey): Key => ({ pk: partitions.steps(installation), sk: jobId });
const onceKeyOf = ({ topic, installation, key }: OnceKey): Key => ({
  pk: partitions.once(topic, installation),
  sk: key,
});

/** The record in an item. Its key has the installation. */
const recordOf = (item: Item): JobRecord => {
  const { pk, sk, listKey, expiresAt, createdBy, ...record } = item;
  return record as unknown as JobRecord;
};

/** The steps of a running job, beside its record. */
interface Noted {
  readonly steps: readonly JobStep[];
  /** ISO 8601 UTC. */
  readonly startedAt: string;
  /** Grows with each change. */
  readonly revision: number;
}

const withStep = (steps: readonly JobStep[], step: JobStep): readonly JobStep[] => [
  ...steps.filter(({ name }) => name !== step.name),
  step,
];

const wordsOf = ({ topic, installation, key }: OnceKey): string => `${topic} ${key} of ${installation}`;

/** Time limit of an act that is done once; milliseconds. */
const claimMilliseconds = 60_000;

/**
 * Job records in a DynamoDB table with the keys `pk` and `sk` and the index `byMoment`. Each write is one conditional
 * request, so that one of several callers wins. Where it matters which one, the request has a unique mark: the SDK repeats a
 * request whose response was lost, and the repeated one must recognise the first.
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

  const read = async (Key: Key, what: string): Promise<Item | undefined> => {
    const question = new GetCommand({ TableName: table, Key, ConsistentRead: true });
    const { Item } = await client()
      .send(question)
      .catch((error: unknown) => {
        throw failure(error, `reading ${what}`, "dynamodb:GetItem");
      });
    return Item;
  };
  const readRecord = (job: JobKey) => read(keyOf(job), `the job ${job.jobId}`);
  const readSteps = async (job: JobKey): Promise<Noted | undefined> =>
    (await read(stepsKeyOf(job), `the steps of the job ${job.jobId}`)) as Noted | undefined;

  /** The record with the steps beside it; the record of an ended job already contains them. */
  const whole = async (item: Item): Promise<JobRecord> => {
    const record = recordOf(item);
    const noted = record.endedAt === undefined ? await readSteps(record) : undefined;
    return noted ? { ...record, status: "running", startedAt: noted.startedAt, steps: noted.steps } : record;
  };

  const get = async (job: JobKey): Promise<JobRecord | undefined> => {
    const item = await readRecord(job);
    return item && whole(item);
  };

  const list = async (
    installation: string,
    limit = Number.POSITIVE_INFINITY,
    { requestedBefore, ...fields }: JobFilter = {},
  ): Promise<readonly JobRecord[]> => {
    const records: JobRecord[] = [];
    const wanted = Object.entries(fields).filter(([, value]) => value !== undefined);
    const filter = wanted.map(([name]) => `#${name} = :${name}`).join(" AND ");
    let start: Record<string, unknown> | undefined;
    while (records.length < limit) {
      const page = await client()
        .send(
          new QueryCommand({
            TableName: table,
            IndexName: listIndex,
            KeyConditionExpression: `pk = :pk${requestedBefore ? " AND listKey < :before" : ""}`,
            ExpressionAttributeValues: {
              ":pk": partitions.records(installation),
              ...(requestedBefore ? { ":before": requestedBefore.toISOString() } : {}),
              ...Object.fromEntries(wanted.map(([name, value]) => [`:${name}`, value])),
            },
            ...(filter === ""
              ? {}
              : {
                  FilterExpression: filter,
                  ExpressionAttributeNames: Object.fromEntries(wanted.map(([name]) => [`#${name}`, name])),
                }),
            ScanIndexForward: false,
            // A filter leaves out what was read, so that as many as are wanted may be far too few to read.
            ...(Number.isFinite(limit) && filter === "" ? { Limit: Math.ceil(limit - records.length) } : {}),
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
      ...record,
      ...keyOf(record),
      listKey: `${record.requestedAt}#${record.jobId}`,
      expiresAt: expiryFrom(now()),
      createdBy,
    };
    try {
      await client().send(
        new PutCommand({ TableName: table, Item: item, ConditionExpression: "attribute_not_exists(pk)" }),
      );
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException))
        throw failure(error, `recording the job ${record.jobId}`, "dynamodb:PutItem");
      const present = await readRecord(record);
      if (present) return { record: await whole(present), created: present.createdBy === createdBy };
      return create(record); // it expired between the two requests
    }
    return { record: recordOf(item), created: true };
  };

  const note = async (job: JobKey, step: JobStep): Promise<void> => {
    for (;;) {
      const record = await readRecord(job);
      if (record === undefined || record.endedAt !== undefined) return;
      const { steps = [], revision } = (await readSteps(job)) ?? {};
      try {
        await client().send(
          new UpdateCommand({
            TableName: table,
            Key: stepsKeyOf(job),
            UpdateExpression:
              "SET steps = :steps, startedAt = if_not_exists(startedAt, :at), revision = :next, expiresAt = :expiry",
            ConditionExpression: revision === undefined ? "attribute_not_exists(pk)" : "revision = :revision",
            ExpressionAttributeValues: {
              ":steps": withStep(steps, step),
              ":at": step.at,
              ...(revision === undefined ? {} : { ":revision": revision }),
              ":next": (revision ?? 0) + 1,
              ":expiry": expiryFrom(now()),
            },
          }),
        );
        return;
      } catch (error) {
        // Another caller recorded a step in between: read again.
        if (!(error instanceof ConditionalCheckFailedException))
          throw failure(error, `noting a step of the job ${job.jobId}`, "dynamodb:UpdateItem");
      }
    }
  };

  const end = async (job: JobKey, ending: JobEnding): Promise<JobRecord | undefined> => {
    const { steps, startedAt } = (await readSteps(job)) ?? {};
    const changes = Object.entries({ steps, startedAt, ...ending }).filter(([, value]) => value !== undefined);
    try {
      const { Attributes } = await client().send(
        new UpdateCommand({
          TableName: table,
          Key: keyOf(job),
          UpdateExpression: `SET ${changes.map(([name]) => `#${name} = :${name}`).join(", ")}`,
          ConditionExpression: "attribute_exists(pk) AND attribute_not_exists(endedAt)",
          ExpressionAttributeNames: Object.fromEntries(changes.map(([name]) => [`#${name}`, name])),
          ExpressionAttributeValues: Object.fromEntries(changes.map(([name, value]) => [`:${name}`, value])),
          ReturnValues: "ALL_NEW",
        }),
      );
      return Attributes && recordOf(Attributes);
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return get(job);
      throw failure(error, `ending the job ${job.jobId}`, "dynamodb:UpdateItem");
    }
  };

  const change = async (
    what: OnceKey,
    update: string,
    condition: string,
    values: Readonly<Record<string, unknown>>,
  ) => {
    try {
      await client().send(
        new UpdateCommand({
          TableName: table,
          Key: onceKeyOf(what),
          UpdateExpression: update,
          ConditionExpression: condition,
          ExpressionAttributeValues: { ...values },
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw failure(error, `claiming ${wordsOf(what)}`, "dynamodb:UpdateItem");
    }
  };

  /** True when this call must do it, false when it is done. */
  const claim = async (what: OnceKey, claimedBy: string): Promise<boolean> => {
    const time = now().getTime();
    const claimed = await change(
      what,
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
    const item = await read(onceKeyOf(what), wordsOf(what));
    if (item?.done === true) return false;
    throw new ControlPlaneUnavailableError(`another run works on ${wordsOf(what)}; try again in a minute`);
  };

  const once = async (what: OnceKey, act: () => Promise<void>): Promise<boolean> => {
    const claimedBy = mark();
    if (!(await claim(what, claimedBy))) return false;
    try {
      await act();
    } catch (error) {
      // A claim that cannot be released expires.
      await change(what, "SET claimEndsAt = :zero", "claimedBy = :claimedBy", {
        ":claimedBy": claimedBy,
        ":zero": 0,
      }).catch(() => {});
      throw error;
    }
    await change(what, "SET done = :yes", "claimedBy = :claimedBy", { ":claimedBy": claimedBy, ":yes": true });
    return true;
  };

  return { get, list, create, note, end, once };
};
