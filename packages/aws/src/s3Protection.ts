import {
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectLockConfigurationCommand,
  GetObjectRetentionCommand,
  PutObjectCommand,
  PutObjectRetentionCommand,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import type { ObservedProtection, ObserveProtection } from "@openemr-ops/core/immutability";
import { checkedKey } from "@openemr-ops/core/objectKeys";
import { s3Client } from "./s3Client.ts";
import type { S3DestinationSettings } from "./s3Destination.ts";
import { s3Failure } from "./s3Failure.ts";

const modes = { GOVERNANCE: "governance", COMPLIANCE: "compliance" } as const;

/** A store's own refusal: the act was not carried out. */
const isRefusal = (error: unknown): boolean => {
  const status = error instanceof S3ServiceException ? (error.$metadata.httpStatusCode ?? 0) : 0;
  return status >= 400 && status < 500 && status !== 429;
};

const hasNoLock = (error: unknown): boolean =>
  error instanceof S3ServiceException &&
  ["InvalidRequest", "NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError"].includes(error.name);

type SeenLock = Pick<ObservedProtection, "until" | "mode" | "unseen">;

const dayMilliseconds = 24 * 3600 * 1000;

/** The lock as the store shows it; nothing where there is none, `undefined` where it refuses to show it. */
const seen = async (look: () => Promise<SeenLock>): Promise<SeenLock | undefined> => {
  try {
    return await look();
  } catch (error) {
    if (hasNoLock(error)) return {};
    if (isRefusal(error)) return undefined;
    throw s3Failure(error, "reading the lock of an object");
  }
};

/** Tries to destroy one version of an object in a bucket of S3, in every way that the API has. */
export const s3Protection = (
  settings: S3DestinationSettings,
  environment: Readonly<Record<string, string | undefined>> = {},
): ObserveProtection => {
  const client = settings.client ?? s3Client(settings, environment);
  const url = `s3://${[settings.bucket, settings.prefix].filter(Boolean).join("/")}`;
  return async (name) => {
    const key = [settings.prefix, checkedKey(name)].filter(Boolean).join("/");
    const at = { Bucket: settings.bucket, Key: key };
    const call = async <Result>(work: () => Promise<Result>): Promise<Result> => {
      try {
        return await work();
      } catch (error) {
        throw s3Failure(error, `trying the protection of ${name} in ${url}`);
      }
    };
    const put = (Body: string) => client.send(new PutObjectCommand({ ...at, Body }));

    const { VersionId } = await call(() => put("first"));
    const version = { ...at, ...(VersionId ? { VersionId } : {}) };
    const survives = async (): Promise<boolean> => {
      try {
        const { Body } = await client.send(new GetObjectCommand(version));
        return (await Body?.transformToString()) === "first";
      } catch (error) {
        if (error instanceof S3ServiceException && /^(NoSuchKey|NoSuchVersion|NotFound)$/.test(error.name))
          return false;
        throw s3Failure(error, `reading ${name} in ${url}`);
      }
    };
    const lock = async (): Promise<SeenLock> => {
      const own = await seen(async () => {
        const { Retention } = await client.send(new GetObjectRetentionCommand(version));
        return { until: Retention?.RetainUntilDate, mode: Retention?.Mode && modes[Retention.Mode] };
      });
      if (own?.until) return own;
      // Some servers keep the bucket's rule in mind and write nothing beside the object.
      const ofBucket = await seen(async () => {
        const command = new GetObjectLockConfigurationCommand({ Bucket: settings.bucket });
        const { ObjectLockConfiguration } = await client.send(command);
        const { Days = 0, Years = 0, Mode } = ObjectLockConfiguration?.Rule?.DefaultRetention ?? {};
        const days = Days + 365 * Years;
        return days > 0 ? { until: new Date(Date.now() + days * dayMilliseconds), mode: Mode && modes[Mode] } : {};
      });
      if (ofBucket?.until) return ofBucket;
      return own && ofBucket ? {} : { unseen: "s3:GetObjectRetention, s3:GetBucketObjectLockConfiguration" };
    };
    const before = await lock();
    const shorter = { Mode: "GOVERNANCE", RetainUntilDate: new Date(Date.now() + 60_000) } as const;
    const bypass = { BypassGovernanceRetention: true };
    const acts: readonly (readonly [string, () => Promise<unknown>])[] = [
      ["overwriting it", () => put("second")],
      ["deleting it", () => client.send(new DeleteObjectCommand(at))],
      ["deleting its version", () => client.send(new DeleteObjectCommand(version))],
      ["going around its lock", () => client.send(new DeleteObjectCommand({ ...version, ...bypass }))],
      [
        "shortening its lock",
        () => client.send(new PutObjectRetentionCommand({ ...version, ...bypass, Retention: shorter })),
      ],
    ];
    for (const [act, carryOut] of acts) {
      await carryOut().catch((error: unknown) => {
        if (!isRefusal(error)) throw s3Failure(error, `trying the protection of ${name} in ${url}`);
      });
      if (!(await survives())) return { ...before, lostBy: act };
    }
    const { until } = await lock();
    const shortened = before.until !== undefined && (until === undefined || until < before.until);
    return { ...before, ...(shortened ? { lostBy: "shortening its lock" } : {}) };
  };
};
