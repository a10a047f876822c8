import { createHmac, createSecretKey } from "node:crypto";

/** Values that are remembered, in 20 MiB: a patient, a visit or a user is in many rows. */
const remembered = 131_072;
const longestRemembered = 40;

/** `007`, ` 7` and `7` are one number, `Admin` and `admin` one login: so the application compares them. */
const canonical = (text: string): string => {
  const value = text.trim().toLowerCase();
  return /^\d+$/.test(value) ? value.replace(/^0+(?=\d)/, "") : value;
};

/**
 * Pseudonyms of one key: HMAC-SHA-256 of domain and value, shortened to 128 bits, in lower-case hex. The same value gives the
 * same pseudonym wherever its domain is the same, so that joins hold; no list of possible values gives one without the key.
 * `0` stays `0`, for in OpenEMR it means that there is none; an empty value gives nothing.
 *
 * @param key a secret of at least 32 characters; another key gives other pseudonyms everywhere
 */
export const pseudonymsOf = (key: string): ((domain: string) => (text: Buffer) => string | undefined) => {
  const secret = createSecretKey(key, "utf8");
  const byDomain = new Map<string, Map<string, string | undefined>>();
  let size = 0;
  const remember = (known: Map<string, string | undefined>, text: string, made: string | undefined): void => {
    if (size >= remembered) {
      for (const others of byDomain.values()) others.clear();
      size = 0;
    }
    known.set(text, made);
    size += 1;
  };
  return (domain) => {
    const known = byDomain.get(domain) ?? new Map<string, string | undefined>();
    byDomain.set(domain, known);
    const make = (text: string): string | undefined => {
      const value = canonical(text);
      if (value === "" || value === "0") return value || undefined;
      return createHmac("sha256", secret).update(`openemr-ops/1\0${domain}\0${value}`).digest("hex").slice(0, 32);
    };
    return (bytes) => {
      const text = bytes.toString();
      if (known.has(text)) return known.get(text);
      const made = make(text);
      if (text.length <= longestRemembered) remember(known, text, made);
      return made;
    };
  };
};
