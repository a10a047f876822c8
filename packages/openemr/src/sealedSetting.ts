import { KeyPairError } from "@openemr-ops/core/errors";
import { decrypt, encrypt, type KeyVersion, versionOf, type WritableKeyVersion } from "./crypto.ts";
import { pairProblems } from "./keyProof.ts";
import type { SiteKeys } from "./keys.ts";
import { newestReadBy, takesClearText, usablePairs } from "./sealingVersion.ts";
import { formatVersion, type OpenEmrVersion } from "./version.ts";

/** What it takes to open and seal the settings of one site. Holds keys in clear: never log or store it. */
export interface SettingKeys {
  readonly site: string;
  readonly keys: SiteKeys;
  /** Row of table `version`. */
  readonly release: OpenEmrVersion | undefined;
}

/** A setting's value, opened. */
export interface OpenedSetting {
  readonly text: string;
  /** `undefined` for one that is stored in clear. */
  readonly version: KeyVersion | undefined;
}

const restoreKeys =
  "restore keys and database from one dump, and let nobody save settings in OpenEMR before: it would make new keys";
const saveAgain = "enter the value again in OpenEMR, Administration > Config";

const nameOf = (release: OpenEmrVersion | undefined): string =>
  release ? `OpenEMR ${formatVersion(release)}` : "an OpenEMR of unknown release (see table version)";

/** What is wrong with the site's key pairs, or with that of one version. */
const problemsOf = ({ site, keys }: SettingKeys, version?: KeyVersion): string =>
  pairProblems(site, keys)
    .filter(({ subject }) => version === undefined || subject === `version ${version === 3 ? 2 : version}`)
    .map(({ message }) => message.replace(`site ${site}: `, ""))
    .join("; ");

/** As a ciphertext of a version that does not exist yet would look. */
const ofNewerVersion = /^0(?:0[089]|[1-9]\d)[A-Za-z0-9+/]{64,}={0,2}$/;

/**
 * Opens a setting of type encrypted, as the running OpenEMR does.
 *
 * @param name for messages
 * @throws {KeyPairError} damaged: it does not open; the message names the half of the keys that is missing, never a value
 */
export const openSetting = (name: string, value: string, place: SettingKeys): OpenedSetting => {
  const { site, keys, release } = place;
  const closed = (why: string, next: string) =>
    new KeyPairError(`site ${site}: globals.${name} does not open: ${why}; ${next}`);
  const version = versionOf(value);
  if (version === undefined) {
    if (ofNewerVersion.test(value))
      throw closed(`it is of version ${value.slice(0, 3)}, which this program does not know`, "update this program");
    if (value !== "" && !takesClearText(release))
      throw closed(`it is stored in clear, which ${nameOf(release)} does not take for a password`, saveAgain);
    return { text: value, version };
  }
  const opened = decrypt(value, keys.keys, "drive");
  if (opened.opened) {
    const text = textOf(opened.plaintext);
    if (text === undefined) throw closed("what comes out is no text, so that it was sealed with other keys", saveAgain);
    return { text, version };
  }
  if (opened.reason === "malformed") throw closed("it was cut or altered", saveAgain);
  const problems = problemsOf(place, version);
  if (problems) throw closed(problems, restoreKeys);
  if (opened.reason === "key-missing")
    throw closed(`neither drive keys nor rows of table keys of version ${version} exist`, restoreKeys);
  throw closed("it was sealed with other keys than those of this site, or altered", `${restoreKeys}, or ${saveAgain}`);
};

const textOf = (bytes: Buffer): string | undefined => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
};

/** How a new value of a setting is stored. */
export type HowToSeal = { readonly version: WritableKeyVersion } | "in clear";

/**
 * Decides how a new value is stored, so that the running release reads it: with the newest key pair that can be used on both
 * sides and that this release reads. In clear where OpenEMR's encryption is switched off, and the release takes that.
 *
 * @param written version of the value that OpenEMR has in use, and that opens
 * @param encrypts setting `database_encryption`
 * @throws {KeyPairError} damaged: there is no such pair. None is made here: OpenEMR alone makes keys
 */
export const howToSeal = (
  place: SettingKeys,
  { written, encrypts }: { readonly written: KeyVersion | undefined; readonly encrypts: boolean },
): HowToSeal => {
  const { site, keys, release } = place;
  if (!encrypts && takesClearText(release)) return "in clear";
  const newest = newestReadBy(release, written);
  const usable = usablePairs(keys);
  const version = usable.find((one) => one <= (newest ?? 0));
  if (version !== undefined) return { version };
  const why = (text: string, next: string) =>
    new KeyPairError(`site ${site}: no value can be encrypted for ${nameOf(release)}: ${text}; ${next}`);
  if (usable.length > 0) {
    const reads =
      newest === undefined ? "nothing shows which versions it reads" : `it reads no version above ${newest}`;
    throw why(
      `${reads}, and the site's key pairs are of ${usable.join(", ")}`,
      `correct table version, or ${saveAgain}: OpenEMR then makes the keys that it reads`,
    );
  }
  const problems = problemsOf(place);
  if (problems) throw why(problems, restoreKeys);
  throw why("the site has no key pair of version 4 or newer", `${saveAgain}: OpenEMR then makes one`);
};

/** @param iv 16 random bytes, never used twice */
export const sealSetting = (text: string, how: HowToSeal, { keys }: SettingKeys, iv: Buffer): string =>
  how === "in clear" ? text : encrypt(Buffer.from(text), { version: how.version, keys: keys.keys.drive, iv });

/** The longest that fits, encrypted, into the 255 characters of OpenEMR's column. Bytes. */
const longestValue = 111;

/**
 * Why OpenEMR would lose or spoil a value of a setting of type encrypted, sooner or later; `undefined` for none. Its page of
 * settings trims what it shows and takes `0` for nothing; text that begins like a ciphertext is taken for one.
 */
export const settingProblem = (text: string): string | undefined => {
  if (text === "") return "is empty";
  if (text === "0") return "is 0, which OpenEMR takes for nothing";
  if (!text.isWellFormed()) return "is no text in UTF-8";
  if (Buffer.byteLength(text) > longestValue)
    return `has more than ${longestValue} bytes, the most that OpenEMR's column takes`;
  if (text.trim() !== text) return "begins or ends with white space, which OpenEMR removes";
  if (/\p{Cc}/u.test(text)) return "has a control character, which OpenEMR's page of settings removes";
  if (versionOf(text) !== undefined) return `begins with ${text.slice(0, 3)}, as OpenEMR's ciphertexts do`;
  return undefined;
};
