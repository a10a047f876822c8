import type { ObserveProtection } from "@openemr-ops/core/immutability";
import { checkDestination, type DestinationFinding } from "@openemr-ops/dumps/checkDestination";
import type { AtCopy } from "@openemr-ops/events/inputs/common";
import { allowedPlace } from "./allowedPlace.ts";
import { openDestination } from "./openDestination.ts";
import { openProtection } from "./openProtection.ts";
import { openSecrets } from "./openSecrets.ts";
import { type DumpPurpose, ownCredentials } from "./ownCredentials.ts";
import type { Place } from "./program.ts";
import { dumpsOf } from "./programs/dumpContext.ts";
import { trialStore } from "./trialStore.ts";

/** Tries a destination of dumps under each of the credentials that its jobs have; see `checkDestination`. */
export const tryDestination = async (place: Place, { copy }: AtCopy = {}): Promise<readonly DestinationFinding[]> => {
  const installation = dumpsOf(place, copy);
  const { destination, retentionCredentials, immutability } = installation.dumps;
  const around = (purpose: DumpPurpose) => ({
    ...place,
    credentials: ownCredentials(installation.dumps, openSecrets(place.environment), purpose),
  });
  const open = (purpose: DumpPurpose) => openDestination(destination, around(purpose));
  const attackers = async () => {
    const found: { name: string; observe: ObserveProtection }[] = [];
    for (const [name, purpose] of [
      ["who dumps", "work"],
      ...(retentionCredentials ? ([["who deletes old dumps", "retention"]] as const) : []),
    ] as const) {
      const observe = await openProtection(destination, around(purpose));
      if (observe) found.push({ name, observe });
    }
    return found;
  };
  return checkDestination(await open("work"), {
    now: place.now,
    signal: place.signal,
    assertPlace: allowedPlace(destination, installation.residency, around("work")),
    remover: retentionCredentials && (await open("retention")),
    ...(immutability ? { immutability: { wanted: immutability, attackers: await attackers() } } : {}),
    openTrial: trialStore(installation, place.environment, openSecrets(place.environment)),
  });
};
