import { DescribeDBClustersCommand, ModifyDBClusterCommand, RDSClient } from "@aws-sdk/client-rds";
import { DescribeSecretCommand, RotateSecretCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import {
  ControlPlaneMissingError,
  DatabaseUnavailableError,
  InvalidInputError,
  type OpsError,
} from "@openemr-ops/core/errors";
import { secretsClient, toSecretError } from "./awsSecret.ts";
import { clientSettings } from "./clientSettings.ts";
import { controlPlaneFailure } from "./controlPlaneFailure.ts";
import { onFirstUse } from "./onFirstUse.ts";

export interface RdsMasterSettings {
  /** Its identifier or ARN. */
  readonly cluster: string;
  readonly client?: Pick<RDSClient, "send">;
  readonly secrets?: (arn: string) => Pick<SecretsManagerClient, "send">;
}

/** Of the password. Source: docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBCluster.html, MasterUserPassword. */
const longestPassword = 41;

/** The master user of a cluster of RDS. Errors: those of the control plane and of secrets. */
export const rdsMaster = ({ cluster, client: given, secrets = secretsClient }: RdsMasterSettings) => {
  const client = onFirstUse(() => given ?? new RDSClient(clientSettings));
  const where = `the cluster ${cluster}`;
  const missing = (options?: ErrorOptions) =>
    new ControlPlaneMissingError(
      `RDS has no cluster ${cluster}; correct rotations.master.cluster or database.host`,
      options,
    );
  const failure = (error: unknown, doing: string, right: string): OpsError => {
    const name = error instanceof Error ? error.name.replace(/(Fault|Exception)$/, "") : "";
    if (name === "DBClusterNotFound") return missing({ cause: error });
    if (name === "InvalidDBClusterState")
      return new DatabaseUnavailableError(
        `RDS cannot change ${where} in its present state (${name}): wait until it is available`,
        { cause: error },
      );
    return controlPlaneFailure(error, `${doing} ${where}`, `rds:${right} on it`);
  };
  /** Of Secrets Manager's versions the one that programs read. */
  const currentVersion = async (arn: string): Promise<string | undefined> => {
    const { VersionIdsToStages = {} } = await secrets(arn)
      .send(new DescribeSecretCommand({ SecretId: arn }))
      .catch((error: unknown) => {
        throw toSecretError(arn, error, "DescribeSecret");
      });
    return Object.entries(VersionIdsToStages).find(([, stages]) => stages.includes("AWSCURRENT"))?.[0];
  };

  return {
    name: where,
    longestPassword,
    look: async () => {
      const { DBClusters: [found] = [] } = await client()
        .send(new DescribeDBClustersCommand({ DBClusterIdentifier: cluster }))
        .catch((error: unknown) => {
          throw failure(error, "looking at", "DescribeDBClusters");
        });
      if (!found) throw missing();
      const { MasterUsername: user = "", Status: status = "", PendingModifiedValues: pending } = found;
      const { SecretArn: arn, SecretStatus = "" } = found.MasterUserSecret ?? {};
      return {
        user,
        status,
        /** A new password waits for the maintenance window, or is being set. */
        passwordPending: pending?.MasterUserPassword !== undefined,
        /** Where RDS itself makes the password, and changes it: nobody else may. */
        ...(arn === undefined ? {} : { managed: { arn, status: SecretStatus, version: await currentVersion(arn) } }),
      };
    },
    /** Asks for it at once, in place of one that waits for the maintenance window. It applies some time later. */
    change: async (password: string): Promise<void> => {
      if (password.length > longestPassword)
        throw new InvalidInputError([
          { path: "password", message: `has ${password.length} characters, and RDS takes ${longestPassword}` },
        ]);
      await client()
        .send(
          new ModifyDBClusterCommand({
            DBClusterIdentifier: cluster,
            MasterUserPassword: password,
            ApplyImmediately: true,
          }),
        )
        .catch((error: unknown) => {
          throw failure(error, "changing the master password of", "ModifyDBCluster");
        });
    },
    /** Has RDS change the password that it manages. It applies some time later, under another version of the secret. */
    rotateManaged: async (arn: string): Promise<void> => {
      await secrets(arn)
        .send(new RotateSecretCommand({ SecretId: arn, RotateImmediately: true }))
        .catch((error: unknown) => {
          throw toSecretError(arn, error, "RotateSecret");
        });
    },
  };
};
