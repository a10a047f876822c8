import { encrypt } from "@openemr-ops/openemr/crypto";
import type { EstateDocument } from "./documents.ts";
import { type NewKeySet, newKeySet } from "./newKeySet.ts";
import { type Random, seededRandom } from "./random.ts";
import type { EstateSize } from "./size.ts";

/** All that decides what an estate holds, before anything is written. */
export interface EstatePlan {
  readonly size: EstateSize;
  readonly encounters: number;
  /** The sequence of that name; asking again starts it anew. */
  random(name: string): Random;
  readonly keySet: NewKeySet;
  /** Seals a value for the database, as OpenEMR does with its drive keys. */
  sealValue(value: string, random: Random): string;
}

/** Keys of a site that was upgraded from a release before 7.0.4: old values are of version 6, new ones of 7. */
const keyVersions = [6, 7] as const;

/** The same seed and size plan the same data; only the RSA pair of the OAuth set is new each time. */
export const planEstate = (seed: string, size: EstateSize): EstatePlan => {
  const root = seededRandom(seed);
  const keySet = newKeySet(root.fork("keys").bytes, { versions: keyVersions });
  return {
    size,
    encounters: size.patients * 3,
    random: (name) => root.fork(name),
    keySet,
    sealValue: (value, random) =>
      encrypt(Buffer.from(value), { version: 7, keys: keySet.keys.drive, iv: random.bytes(16) }),
  };
};

/** A plan whose documents are decided too. */
export interface EstateContents extends EstatePlan {
  readonly documents: readonly EstateDocument[];
}
