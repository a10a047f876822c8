import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";

/** What a seal is put on. Each has a key of its own, so that one cannot stand for the other. */
type Sealed = "manifest" | "verification" | "removal";

/** Proves that bytes come from somebody who holds the installation's secret. */
export interface Seal {
  /** HMAC-SHA-256, lower-case hex. */
  of(what: Sealed, bytes: string): string;
  /** Compares in constant time. */
  fits(what: Sealed, bytes: string, seal: string): boolean;
}

/** In constant time where both have the same length. */
export const sameText = (one: string, other: string): boolean => {
  const [first, second] = [Buffer.from(one), Buffer.from(other)];
  return first.length === second.length && timingSafeEqual(first, second);
};

/**
 * Seals with keys derived from a secret (HKDF-SHA-256, a label of ours for each use): the secret itself signs nothing, so
 * a repository's password can serve for this too.
 */
export const sealWith = (secret: string): Seal => {
  const of = (what: Sealed, bytes: string): string => {
    const key = hkdfSync("sha256", secret, "", `openemr-ops ${what} seal v1`, 32);
    return createHmac("sha256", Buffer.from(key)).update(bytes).digest("hex");
  };
  return {
    of,
    fits: (what, bytes, seal) => sameText(of(what, bytes), seal),
  };
};
