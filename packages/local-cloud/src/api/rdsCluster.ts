import type { JsonObject } from "../json.ts";
import { maybeText } from "../json.ts";
import { type Operations, ServiceError } from "./operation.ts";

/** The master user of a cluster of RDS; a database server stands for the cluster here. */
export interface ClusterMaster {
  /** The cluster's identifier. */
  readonly cluster: string;
  readonly user: string;
  readonly setPassword: (password: string) => Promise<void>;
}

/** RDS over one cluster: what it is, and another master password, which works at once. */
export const rdsClusterApi = ({ cluster, user, setPassword }: ClusterMaster): Operations => {
  const described = ({ DBClusterIdentifier: asked }: JsonObject): JsonObject => {
    if (maybeText(asked) !== cluster)
      throw new ServiceError("DBClusterNotFoundFault", `DBCluster ${String(asked)} not found.`, 404);
    return { DBClusterIdentifier: cluster, MasterUsername: user, Status: "available" };
  };
  return {
    DescribeDBClusters: (body) => ({ DBClusters: [described(body)] }),
    ModifyDBCluster: async (body) => {
      const DBCluster = described(body);
      const password = maybeText(body.MasterUserPassword);
      if (password === undefined || body.ApplyImmediately !== "true")
        throw new ServiceError(
          "InvalidParameterCombination",
          "Here only the master password can be changed, and at once.",
        );
      await setPassword(password);
      return { DBCluster };
    },
  };
};
