import {
  DescribeSecretCommand,
  InvalidParameterException,
  InvalidRequestException,
  PutSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import type { SecretReference } from "@openemr-ops/core/config/secrets";
import { InvalidInputError, SecretStoreUnavailableError, SecretUnreadableError } from "@openemr-ops/core/errors";
import type { SecretVersion, StoredSecret } from "@openemr-ops/core/storedSecret";
import pRetry from "p-retry";
import { secretsClient, secretText, toSecretError } from "./awsSecret.ts";

type Reference = Pick<Extract<SecretReference, { readonly kind: "aws" }>, "arn" | "field" | "key">;

/** The labels of versions. Source: docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html. */
const labels = { current: "AWSCURRENT", pending: "AWSPENDING" } as const;

/** About seven seconds: Secrets Manager shows a version soon after it was written, and not at once everywhere. */
const untilSeen = { retries: 6, minTimeout: 100, factor: 2, randomize: false } as const;

/** Secrets Manager names a version, and does not give it out or does not list it. */
class NotSeenYet extends SecretStoreUnavailableError {}

const isNotSeen = (error: unknown): boolean =>
  error instanceof Error &&
  (error.cause instanceof ResourceNotFoundException ||
    (error.cause instanceof InvalidRequestException && /VersionStage/.test(error.cause.message)));

export interface SecretDocumentSettings {
  readonly client?: Pick<SecretsManagerClient, "send">;
  readonly patience?: { readonly retries: number; readonly minTimeout: number };
}

/**
 * A secret of AWS Secrets Manager whose text changes as a whole, by its ARN. Both labels on one version are usual: that one is
 * current, and nothing is pending.
 */
export const secretDocument = (
  { arn, field, key }: Reference,
  { client = secretsClient(arn), patience = untilSeen }: SecretDocumentSettings = {},
): StoredSecret => {
  const failure = (action: string) => (error: unknown) => {
    throw toSecretError(arn, error, action);
  };
  const untilSeenAt = <Result>(look: () => Promise<Result>): Promise<Result> =>
    pRetry(look, { ...untilSeen, ...patience, shouldRetry: ({ error }) => error instanceof NotSeenYet });

  /** Identifiers of versions by label. */
  const labelled = async (): Promise<ReadonlyMap<string, string>> => {
    const { VersionIdsToStages = {}, DeletedDate } = await client
      .send(new DescribeSecretCommand({ SecretId: arn }))
      .catch(failure("DescribeSecret"));
    if (DeletedDate)
      throw new SecretUnreadableError(
        `the secret ${arn} is scheduled for deletion; restore it (aws secretsmanager restore-secret), or name another`,
      );
    return new Map(Object.entries(VersionIdsToStages).flatMap(([id, stages]) => stages.map((stage) => [stage, id])));
  };

  const textOf = async (id: string, stage: string): Promise<string> => {
    try {
      return await secretText(client, arn, { document: true, version: { id, stage } });
    } catch (error) {
      if (!isNotSeen(error)) throw error;
      throw new NotSeenYet(`Secrets Manager does not give out version ${id} of ${arn} yet: try again`, {
        cause: error,
      });
    }
  };

  const look = async (): Promise<readonly SecretVersion[]> => {
    const ids = await labelled();
    const [current, pending] = [ids.get(labels.current), ids.get(labels.pending)];
    return [
      ...(current === undefined ? [] : [{ id: current, text: await textOf(current, labels.current), current: true }]),
      ...(pending === undefined || pending === current
        ? []
        : [{ id: pending, text: await textOf(pending, labels.pending), current: false }]),
    ];
  };

  const move = async (stage: string, to: { readonly from?: string | undefined; readonly to?: string }) => {
    await client
      .send(
        new UpdateSecretVersionStageCommand({
          SecretId: arn,
          VersionStage: stage,
          ...(to.to === undefined ? {} : { MoveToVersionId: to.to }),
          ...(to.from === undefined ? {} : { RemoveFromVersionId: to.from }),
        }),
      )
      .catch((error: unknown) => {
        if (error instanceof InvalidParameterException)
          throw new SecretStoreUnavailableError(
            `the versions of the secret ${arn} changed meanwhile: see what else rotates it, and try again`,
            { cause: error },
          );
        return failure("UpdateSecretVersionStage")(error);
      });
  };

  return {
    field,
    versions: () => untilSeenAt(look),
    writePending: async (text) => {
      if (key !== undefined)
        throw new InvalidInputError([
          { path: field, message: `names one field of a secret that is written whole: remove "#${key}"` },
        ]);
      const { VersionId: id } = await client
        .send(new PutSecretValueCommand({ SecretId: arn, SecretString: text, VersionStages: [labels.pending] }))
        .catch(failure("PutSecretValue"));
      if (id === undefined) throw new TypeError("Secrets Manager names every version that it takes");
      // Whoever takes over from a program that stops now has to find it.
      return untilSeenAt(async () => {
        const seen = (await look()).find((version) => version.id === id);
        if (seen?.text === text) return seen;
        throw new NotSeenYet(`Secrets Manager does not list version ${id} of ${arn} yet: try again`);
      });
    },
    makeCurrent: async ({ id }) => {
      const ids = await labelled();
      const before = ids.get(labels.current);
      if (before !== id) await move(labels.current, { from: before, to: id });
      if (ids.get(labels.pending) === id) await move(labels.pending, { from: id });
    },
  };
};
