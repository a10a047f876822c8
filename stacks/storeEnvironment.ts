import type { DeployedDumps, DeployedExports } from "./deployment.ts";

/** What leads a function to the dumps or exports of an installation: the store, and which secret opens it where a role does not. */
export const storeEnvironment = ({
  destination,
  secrets,
}: Pick<DeployedDumps | DeployedExports, "destination" | "secrets">): Readonly<Record<string, string>> => ({
  OPENEMR_OPS_DESTINATION: JSON.stringify(destination),
  ...(secrets.store ? { OPENEMR_OPS_STORE_SECRET: JSON.stringify(secrets.store) } : {}),
});
