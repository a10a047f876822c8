import type { Destination } from "@openemr-ops/core/destination";
import { ulidPattern } from "@openemr-ops/core/ids";
import type { DumpContext } from "./context.ts";
import { type Seal, sameText } from "./seal.ts";

export const verificationLevels = ["objects", "read-data", "drill"] as const;
export type VerificationLevel = (typeof verificationLevels)[number];

/** A check that a dump passed. */
export interface Verification {
  readonly level: VerificationLevel;
  /** ISO 8601 UTC. */
  readonly at: string;
}

/** What notes say of one dump. */
export interface Verified {
  /** Of all notes, whoever wrote them: enough to keep a dump, never to let another go. */
  readonly claimed: Verification;
  /** Of those whose seal fits. */
  readonly proven?: Verification;
}

const folderOf = (installation: string) => `verifications/${installation}/`;

const sealedText = (installation: string, dumpId: string, { level, at }: Verification): string =>
  JSON.stringify([installation, dumpId, level, at]);

/** Half of an HMAC is as hard to guess, and keeps the key's name short. */
const noteSealLength = 32;

/** Writes down that a dump passed a check. The key says it all, seal included, so that a listing is enough to read it. */
export const recordVerification = async (
  { destination, installation, store }: DumpContext,
  dumpId: string,
  { level, at }: Verification,
  evidence: unknown,
): Promise<void> => {
  const seal = await store.seal();
  const mark = seal?.of("verification", sealedText(installation, dumpId, { level, at })).slice(0, noteSealLength);
  await destination.put(
    `${folderOf(installation)}${dumpId}/${at.replaceAll(":", "-")}_${level}${mark ? `_${mark}` : ""}.json`,
    Buffer.from(`${JSON.stringify({ dumpId, level, at, evidence }, null, 1)}\n`),
  );
};

const noteName = /^(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d\.\d{3}Z)_([a-z-]+)(?:_([0-9a-f]{32}))?\.json$/;

const parseNote = (name: string): (Verification & { readonly mark: string | undefined }) | undefined => {
  const [, day, hours, minutes, seconds, word, mark] = noteName.exec(name) ?? [];
  const level = verificationLevels.find((known) => known === word);
  const at = `${day}T${hours}:${minutes}:${seconds}`;
  return level && !Number.isNaN(Date.parse(at)) ? { level, at, mark } : undefined;
};

const better = (one: Verification | undefined, { level, at }: Verification): Verification => {
  const [before, now] = [one ? verificationLevels.indexOf(one.level) : -1, verificationLevels.indexOf(level)];
  return one && (before > now || (before === now && one.at > at)) ? one : { level, at };
};

/** For each dump the highest level passed, and when last. @param seal absent: nothing is proven */
export const readVerifications = async (
  destination: Destination,
  installation: string,
  seal?: Seal,
): Promise<ReadonlyMap<string, Verified>> => {
  const best = new Map<string, Verified>();
  for await (const { key } of destination.list(folderOf(installation))) {
    const [dumpId = "", name = ""] = key.slice(folderOf(installation).length).split("/");
    const note = parseNote(name);
    if (!ulidPattern.test(dumpId) || !note) continue;
    const known = best.get(dumpId);
    const expected = seal?.of("verification", sealedText(installation, dumpId, note)).slice(0, noteSealLength);
    const fits = note.mark !== undefined && expected !== undefined && sameText(note.mark, expected);
    const proven = fits ? better(known?.proven, note) : known?.proven;
    best.set(dumpId, { claimed: better(known?.claimed, note), ...(proven ? { proven } : {}) });
  }
  return best;
};

/** Forgets the checks of a dump that is gone. */
export const removeVerifications = async (
  destination: Destination,
  installation: string,
  dumpId: string,
): Promise<void> => {
  const keys: string[] = [];
  for await (const { key } of destination.list(`${folderOf(installation)}${dumpId}/`)) keys.push(key);
  for (const key of keys) await destination.delete(key);
};
