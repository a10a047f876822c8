import type { CopySetting } from "@openemr-ops/dumps/steps/copyDumps";
import type { Copier } from "@openemr-ops/dumps/store/copier";
import { portableCopier } from "@openemr-ops/dumps/store/portableCopier";
import { resticCopier } from "@openemr-ops/dumps/store/resticCopier";
import { resticSettings } from "./openContext.ts";
import { openSecrets } from "./openSecrets.ts";
import type { Place } from "./program.ts";
import { dumpContext, dumpsOf } from "./programs/dumpContext.ts";

/** Opens both stores of a copy, each with its own credentials. */
export const openCopy = async (place: Place, copy: number): Promise<CopySetting> => {
  const [one, other] = [dumpsOf(place), dumpsOf(place, copy)];
  const [first, second] = [await dumpContext(place), await dumpContext(place, copy)];
  const around = { environment: place.environment, readSecret: openSecrets(place.environment) };
  const open = (): Copier => {
    if (one.dumps.format === "portable" || other.dumps.format === "portable")
      return portableCopier(first.destination, second.destination);
    return resticCopier(
      resticSettings(place.config, one, one.dumps, first.destination, around),
      resticSettings(place.config, other, other.dumps, second.destination, around),
    );
  };
  return { first, second, copier: open(), policy: other.dumps.retention };
};
