import { requireSection } from "@openemr-ops/core/config/select";
import type { DumpContext } from "@openemr-ops/dumps/context";
import { openContext } from "../openContext.ts";
import { openSecrets } from "../openSecrets.ts";
import type { DumpPurpose } from "../ownCredentials.ts";
import type { Place } from "../program.ts";

/** The context of the steps that work with dumps. */
export const dumpContext = (place: Place, purpose?: DumpPurpose): Promise<DumpContext> => {
  const { config, installation, environment } = place;
  const readSecret = openSecrets(environment);
  return openContext(config, requireSection(config, installation, "dumps"), { ...place, readSecret }, purpose);
};
