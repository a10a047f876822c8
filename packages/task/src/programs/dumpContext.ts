import { atCopy } from "@openemr-ops/core/config/atCopy";
import { requireSection } from "@openemr-ops/core/config/select";
import type { InstallationWith } from "@openemr-ops/core/config/settings";
import type { DumpContext } from "@openemr-ops/dumps/context";
import { openContext } from "../openContext.ts";
import { openSecrets } from "../openSecrets.ts";
import type { DumpPurpose } from "../ownCredentials.ts";
import type { Place } from "../program.ts";

/** The installation of a job, with the store that it works on: the first destination, or a copy. */
export const dumpsOf = (
  { config, installation }: Pick<Place, "config" | "installation">,
  copy?: number,
): InstallationWith<"dumps"> => atCopy(requireSection(config, installation, "dumps"), copy);

/** The context of the steps that work with dumps. */
export const dumpContext = (place: Place, copy?: number, purpose?: DumpPurpose): Promise<DumpContext> => {
  const readSecret = openSecrets(place.environment);
  return openContext(place.config, dumpsOf(place, copy), { ...place, readSecret }, purpose);
};
