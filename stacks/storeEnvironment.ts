import type { DeployedDumps } from "./deployment.ts";

/** What leads a function to the dumps of an installation: the store, and which secret opens it where a role does not. */
export const storeEnvironment = ({ destination, secrets }: DeployedDumps): Readonly<Record<string, string>> => ({
  OPENEMR_OPS_DESTINATION: JSON.stringify(destination),
  ...(secrets.store ? { OPENEMR_OPS_STORE_SECRET: JSON.stringify(secrets.store) } : {}),
});
