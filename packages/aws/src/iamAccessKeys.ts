import {
  type AccessKeyMetadata,
  CreateAccessKeyCommand,
  DeleteAccessKeyCommand,
  GetAccessKeyLastUsedCommand,
  IAMClient,
  paginateListAccessKeys,
  UpdateAccessKeyCommand,
} from "@aws-sdk/client-iam";
import type { AccessKey, AccessKeys } from "@openemr-ops/core/accessKeys";
import { AccessKeyError, ControlPlaneUnavailableError, type OpsError } from "@openemr-ops/core/errors";
import { clientSettings } from "./clientSettings.ts";
import { controlPlaneFailure } from "./controlPlaneFailure.ts";

/** For each user, active and inactive ones together. Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html. */
const mostKeys = 2;

export interface IamAccessKeysSettings {
  readonly user: string;
  /** Any region of the account's partition: IAM has one endpoint for all of them. */
  readonly region: string;
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name.replace(/Exception$/, "") : "");

const known = ({ AccessKeyId: id = "", Status: status, CreateDate: created }: AccessKeyMetadata): AccessKey => ({
  id,
  active: status === "Active",
  created: created ?? new Date(0),
});

/**
 * The access keys of a user of IAM. Beside the errors of the control plane:
 *
 * @throws {AccessKeyError} fatal: no such user or key, no room for another key, or a right is missing
 */
export const iamAccessKeys = ({ user, region }: IamAccessKeysSettings): AccessKeys => {
  const name = `IAM user ${user}`;
  const client = new IAMClient({ ...clientSettings, region });
  /** A request that was answered too late made a key all the same: another one would be made beside it. */
  const once = new IAMClient({ ...clientSettings, region, maxAttempts: 1 });

  const failure = (error: unknown, doing: string, right: string): OpsError => {
    const options = { cause: error };
    switch (nameOf(error)) {
      case "NoSuchEntity":
        return new AccessKeyError(
          `${doing} failed: there is no ${name}, or it has no such key; correct rotations.smtp.iamUser`,
          options,
        );
      case "LimitExceeded":
        return new AccessKeyError(
          `${doing} failed: ${name} has ${mostKeys} access keys, active or not; delete the one that nobody uses`,
          options,
        );
      case "AccessDenied":
        return new AccessKeyError(`${doing} failed: allow this role iam:${right} on the ${name}`, options);
      case "EntityTemporarilyUnmodifiable":
      case "ConcurrentModification":
        return new ControlPlaneUnavailableError(`${doing} failed: another change is under way; try again`, options);
      default:
        return controlPlaneFailure(error, doing, `iam:${right} on the ${name}`);
    }
  };
  const named = async <Result>(work: Promise<Result>, doing: string, right: string): Promise<Result> => {
    try {
      return await work;
    } catch (error) {
      throw failure(error, doing, right);
    }
  };
  const all = async (): Promise<readonly AccessKey[]> => {
    const found: AccessKey[] = [];
    for await (const { AccessKeyMetadata: keys = [] } of paginateListAccessKeys({ client }, { UserName: user }))
      found.push(...keys.map(known));
    return found;
  };

  return {
    name,
    list: () => named(all(), `listing the access keys of ${name}`, "ListAccessKeys"),
    create: async () => {
      const doing = `making an access key of ${name}`;
      const { AccessKey: made } = await named(
        once.send(new CreateAccessKeyCommand({ UserName: user })),
        doing,
        "CreateAccessKey",
      );
      if (made?.SecretAccessKey === undefined)
        throw new ControlPlaneUnavailableError(`${doing} gave no key: try again later`);
      return { ...known(made), secret: made.SecretAccessKey };
    },
    setActive: async (id, active) => {
      const Status = active ? "Active" : "Inactive";
      await named(
        client.send(new UpdateAccessKeyCommand({ UserName: user, AccessKeyId: id, Status })),
        `making the access key ${id} of ${name} ${Status.toLowerCase()}`,
        "UpdateAccessKey",
      );
    },
    remove: async (id) => {
      const gone = client
        .send(new DeleteAccessKeyCommand({ UserName: user, AccessKeyId: id }))
        .catch((error: unknown) => {
          if (nameOf(error) !== "NoSuchEntity") throw error;
        });
      await named(gone, `deleting the access key ${id} of ${name}`, "DeleteAccessKey");
    },
    lastUsed: async (id) => {
      const { AccessKeyLastUsed: last } = await named(
        client.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: id })),
        `asking when the access key ${id} of ${name} was used`,
        "GetAccessKeyLastUsed",
      );
      return last?.LastUsedDate;
    },
  };
};
