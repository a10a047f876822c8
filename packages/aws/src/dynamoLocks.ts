import { ConditionalCheckFailedException, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { GetCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { InstallationBusyError } from "@openemr-ops/core/errors";
import { type Lock, type LockRequest, type LockStore, lockIsHeld } from "@openemr-ops/core/locks";
import { partitions } from "@openemr-ops/core/partitions";
import { controlPlaneFailure } from "./controlPlaneFailure.ts";
import { documents } from "./jobsTable.ts";

export interface DynamoLocksSettings {
  /** The name of the jobs' table. */
  readonly table: string;
  readonly now: () => Date;
  readonly client?: DynamoDBClient;
}

/** A lock's item. It is never deleted, so that the fence always grows. */
interface LockItem {
  readonly owner: string;
  readonly fence: number;
  /** Milliseconds since 1970. */
  readonly leaseEndsAt: number;
  readonly released: boolean;
}

type Held = Omit<LockRequest, "leaseSeconds">;

const keyOf = ({ installation, resource }: Held) => ({ pk: partitions.locks(installation), sk: resource });

const busy = (request: Held, item: LockItem | undefined): InstallationBusyError =>
  lockIsHeld(
    request,
    item && !item.released ? { owner: item.owner, leaseEndsAt: new Date(item.leaseEndsAt) } : undefined,
  );

/**
 * Locks in the jobs' table. Each change is one conditional request: of several concurrent callers exactly one succeeds. A
 * holder can repeat a request whose response was lost.
 *
 * Leases assume that the clocks of all holders differ by a fraction of `leaseSeconds` only.
 *
 * @throws {ControlPlaneUnavailableError} retryable
 * @throws {ControlPlaneAccessDeniedError} fatal
 * @throws {ControlPlaneMissingError} fatal: there is no such table
 */
export const dynamoLocks = (settings: DynamoLocksSettings): LockStore => {
  const { table, now } = settings;
  const client = documents(settings.client);

  const failure = (error: unknown, request: Held, right: string) =>
    controlPlaneFailure(
      error,
      `the lock ${request.resource} of ${request.installation} in ${table}`,
      `${right} on that table`,
    );

  const read = async (request: Held): Promise<LockItem | undefined> => {
    const question = new GetCommand({ TableName: table, Key: keyOf(request), ConsistentRead: true });
    const { Item } = await client()
      .send(question)
      .catch((error: unknown) => {
        throw failure(error, request, "dynamodb:GetItem");
      });
    return Item as LockItem | undefined;
  };

  /** Changes the lock if `condition` is true; undefined otherwise. */
  const change = async (
    request: Held,
    update: string,
    condition: string,
    values: Readonly<Record<string, unknown>>,
  ): Promise<LockItem | undefined> => {
    try {
      const { Attributes } = await client().send(
        new UpdateCommand({
          TableName: table,
          Key: keyOf(request),
          UpdateExpression: update,
          ConditionExpression: condition,
          ExpressionAttributeNames: { "#owner": "owner" },
          ExpressionAttributeValues: { ":owner": request.owner, ":no": false, ...values },
          ReturnValues: "ALL_NEW",
        }),
      );
      return Attributes as LockItem | undefined;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return undefined;
      throw failure(error, request, "dynamodb:UpdateItem");
    }
  };

  const lease = ({ leaseSeconds }: LockRequest): number => now().getTime() + leaseSeconds * 1000;

  const held = ({ installation, resource, owner, leaseSeconds }: LockRequest, item: LockItem): Lock => ({
    installation,
    resource,
    owner,
    leaseSeconds,
    fence: item.fence,
    expiresAt: new Date(item.leaseEndsAt),
  });

  const take = (request: LockRequest) =>
    change(
      request,
      "SET #owner = :owner, leaseEndsAt = :end, released = :no, fence = if_not_exists(fence, :zero) + :one",
      "attribute_not_exists(pk) OR released = :yes OR (leaseEndsAt <= :now AND #owner <> :owner)",
      { ":end": lease(request), ":yes": true, ":now": now().getTime(), ":zero": 0, ":one": 1 },
    );

  const acquire = async (request: LockRequest): Promise<Lock> => {
    for (;;) {
      const taken = await take(request);
      if (taken) return held(request, taken);
      const again = await change(request, "SET leaseEndsAt = :end", "#owner = :owner AND released = :no", {
        ":end": lease(request),
      });
      if (again) return held(request, again);
      const item = await read(request);
      const free = !item || item.released || item.leaseEndsAt <= now().getTime() || item.owner === request.owner;
      if (!free) throw busy(request, item);
    }
  };

  const renew = async (lock: Lock): Promise<Lock> => {
    const condition = "#owner = :owner AND fence = :fence AND released = :no";
    const values = { ":end": lease(lock), ":fence": lock.fence };
    const renewed = await change(lock, "SET leaseEndsAt = :end", condition, values);
    if (renewed) return held(lock, renewed);
    throw busy(lock, await read(lock));
  };

  const release = async (lock: Lock): Promise<void> => {
    const condition = "#owner = :owner AND fence = :fence AND released = :no";
    await change(lock, "SET released = :yes", condition, { ":fence": lock.fence, ":yes": true });
  };

  const expireWithin = async (mine: Held, seconds: number): Promise<void> => {
    const condition = "#owner = :owner AND released = :no";
    if (seconds <= 0) await change(mine, "SET released = :yes", condition, { ":yes": true });
    else {
      const latest = now().getTime() + seconds * 1000;
      await change(mine, "SET leaseEndsAt = :end", `${condition} AND leaseEndsAt > :end`, { ":end": latest });
    }
  };

  return { acquire, renew, release, expireWithin };
};
