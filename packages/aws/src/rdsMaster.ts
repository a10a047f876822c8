import { DescribeDBClustersCommand, ModifyDBClusterCommand, RDSClient } from "@aws-sdk/client-rds";
import { GetSecretValueCommand, RotateSecretCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import {
  ControlPlaneMissingError,
  DatabaseUnavailableError,
  type OpsError,
  PasswordPolicyError,
  SecretUnreadableError,
} from "@openemr-ops/core/errors";
import type { MasterUserService } from "@openemr-ops/core/masterUser";
import { fieldOf, secretsClient, toSecretError } from "./awsSecret.ts";
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
export const rdsMaster = ({
  cluster,
  client: given,
  secrets = secretsClient,
}: RdsMasterSettings): MasterUserService => {
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
  const find = async () => {
    const { DBClusters: [found] = [] } = await client()
      .send(new DescribeDBClustersCommand({ DBClusterIdentifier: cluster }))
      .catch((error: unknown) => {
        throw failure(error, "looking at", "DescribeDBClusters");
      });
    if (!found) throw missing();
    return found;
  };
  /** The ARN of the secret in which RDS keeps the password, where it does. */
  const ownSecret = async (): Promise<string> => {
    const { MasterUserSecret: secret } = await find();
    if (secret?.SecretArn === undefined)
      throw new ControlPlaneMissingError(`RDS keeps no password of ${where}; rotate the one in its own secret`);
    return secret.SecretArn;
  };

  return {
    look: async () => {
      const { MasterUsername: user = "", MasterUserSecret: own, PendingModifiedValues: pending } = await find();
      return {
        name: where,
        user,
        keepsPassword: own?.SecretArn !== undefined,
        changePending: pending?.MasterUserPassword !== undefined,
      };
    },
    setPassword: async (password) => {
      if (password.length > longestPassword)
        throw new PasswordPolicyError(
          `the new password has ${password.length} characters, and RDS takes ${longestPassword} of a master user`,
        );
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
    rotateOwn: async () => {
      const arn = await ownSecret();
      await secrets(arn)
        .send(new RotateSecretCommand({ SecretId: arn, RotateImmediately: true }))
        .catch((error: unknown) => {
          throw toSecretError(arn, error, "RotateSecret");
        });
    },
    readOwn: async () => {
      const arn = await ownSecret();
      const { VersionId: versionId, SecretString: text } = await secrets(arn)
        .send(new GetSecretValueCommand({ SecretId: arn, VersionStage: "AWSCURRENT" }))
        .catch((error: unknown) => {
          throw toSecretError(arn, error);
        });
      if (versionId === undefined || text === undefined)
        throw new SecretUnreadableError(`the secret ${arn} contains no text; see what RDS says of it`);
      return { user: fieldOf(arn, text, "username"), password: fieldOf(arn, text, "password"), versionId };
    },
  };
};
