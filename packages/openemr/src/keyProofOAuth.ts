import { createPrivateKey, createPublicKey } from "node:crypto";
import { join } from "node:path";
import { decrypt } from "./crypto.ts";
import type { KeyProblem } from "./keyProof.ts";
import type { SiteKeys } from "./keys.ts";
import { readIfPresent } from "./siteFiles.ts";

export type OAuthState = "never-used" | "incomplete" | "opens" | "does-not-open";

/**
 * Judges the four pieces of a site's OAuth set: two rows of `keys`, two files. If one is missing at the next request,
 * OpenEMR throws away the other three and makes new ones, and every token and client secret is void.
 */
export const oauthProblems = async ({
  sitesPath,
  site,
  found,
}: {
  sitesPath: string;
  site: string;
  found: SiteKeys;
}): Promise<{ state: OAuthState; problems: readonly KeyProblem[] }> => {
  const read = async (name: string): Promise<Buffer | undefined> => {
    const path = join(site, "documents", "certificates", name);
    return readIfPresent(join(sitesPath, path), path, 64 * 1024);
  };
  const pieces = {
    "row oauth2key": found.oauth.key,
    "row oauth2passphrase": found.oauth.passphrase,
    "oaprivate.key": await read("oaprivate.key"),
    "oapublic.key": await read("oapublic.key"),
  };
  const absent = Object.entries(pieces).flatMap(([name, piece]) => (piece === undefined ? [name] : []));
  if (absent.length === 4) return { state: "never-used", problems: [] };
  if (absent.length > 0) {
    const message = `site ${site}: the OAuth set lacks ${absent.join(", ")}; OpenEMR will replace all of it at the next API request`;
    return { state: "incomplete", problems: [{ code: "oauth-incomplete", site, subject: "oauth", message }] };
  }
  const fault = faultOf(found, pieces["oaprivate.key"] ?? Buffer.alloc(0), pieces["oapublic.key"] ?? Buffer.alloc(0));
  if (fault === undefined) return { state: "opens", problems: [] };
  const problem: KeyProblem = {
    code: "oauth-does-not-open",
    site,
    subject: "oauth",
    message: `site ${site}: ${fault}`,
  };
  return { state: "does-not-open", problems: [problem] };
};

const faultOf = (found: SiteKeys, privatePem: Buffer, publicPem: Buffer): string | undefined => {
  if (!decrypt(found.oauth.key ?? "", found.keys, "drive").opened) {
    return "row oauth2key does not open with the drive keys";
  }
  const passphrase = decrypt(found.oauth.passphrase ?? "", found.keys, "drive");
  if (!passphrase.opened) return "row oauth2passphrase does not open with the drive keys";
  try {
    const own = createPublicKey(createPrivateKey({ key: privatePem, passphrase: passphrase.plaintext }));
    if (!own.equals(createPublicKey(publicPem))) return "oapublic.key does not belong to oaprivate.key";
  } catch {
    return "oaprivate.key does not open with its passphrase, or oapublic.key is not a key";
  }
  return undefined;
};
