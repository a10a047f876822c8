import { lstat } from "node:fs/promises";
import { codeAtEnd, failureOf } from "@openemr-ops/core/systemErrors";
import { isRefusal, type NotRestoredKind, notRestoredCounter } from "./notRestored.ts";
import { resticMessage } from "./resticErrors.ts";
import type { ListedEntry } from "./treeListing.ts";

/** The calls of a restore that set no content; before them releases without JSON print the file's name. */
const calls: readonly (readonly [RegExp, NotRestoredKind])[] = [
  [/(?:^|: )lchown .+$/i, "owner"],
  [/(?:^|: )f?chmod(?:at)? .+$/i, "mode"],
  [/(?:^|: )(?:UtimesNano|utimensat|failed to restore timestamp)\b.+$/i, "times"],
  [/(?:^|: )(?:xattr\.\w+|l?(?:set|remove)xattr) .+$/i, "attributes"],
];

const kindOf = (said: string): NotRestoredKind | undefined => calls.find(([pattern]) => pattern.test(said))?.[1];

/** What a release prints without JSON. */
const ofItem = /^ignoring error for (.*?): (.*)$/s;

const parse = (line: string): { readonly item: string; readonly said: string } | undefined => {
  const message = resticMessage(line);
  if (message) {
    const { item, error } = message as { item?: unknown; error?: { message?: unknown } };
    return typeof item === "string" && typeof error?.message === "string" ? { item, said: error.message } : undefined;
  }
  const [, item, said] = ofItem.exec(line) ?? [];
  return item !== undefined && said !== undefined ? { item, said } : undefined;
};

/**
 * Sorts what a restore complains of, file by file, as it comes: attributes that could not be set, the disk here, and all
 * else. The lines hold names of files, so the count that restic itself gives at the end has to be that of the attributes.
 *
 * @param target the directory restored into, as restic calls it
 */
export const restoreComplaints = (target: string) => {
  const attributes = notRestoredCounter();
  let announced: number | undefined;
  let earlier = 0; // announced by runs before this one
  let local: string | undefined;
  let others = 0;
  return {
    attributes,
    onLine: (line: string): void => {
      const text = String(resticMessage(line)?.message ?? line);
      announced = Number(/^Fatal: There were (\d+) errors/.exec(text)?.[1] ?? announced ?? Number.NaN);
      const complaint = parse(line);
      if (!complaint) return;
      const code = codeAtEnd(complaint.said);
      const kind = kindOf(complaint.said);
      if (kind && isRefusal(kind, complaint.said)) {
        attributes.add(kind, complaint.item);
        return;
      }
      if (code === undefined || !(kind || complaint.said.includes(target))) others++;
      else if (code === "ENOSPC" || failureOf(code) !== "place") local = code === "ENOSPC" ? code : (local ?? code);
    },
    areOfAttributesAlone: () => announced !== undefined && announced > 0 && earlier + announced === attributes.total(),
    /** The same restore continues with another run of the program. */
    nextRun: (): void => {
      earlier += announced || 0;
      announced = undefined;
    },
    /** What is absent or in the way is so because of something before it. Damage outweighs the disk. */
    localFailure: () => (others === 0 ? local : undefined),
  };
};

/** Compares whose a file is with whose it was: by the snapshot's own list, not by what a restore said. */
export const addOwner = async (
  found: ReturnType<typeof notRestoredCounter>,
  root: string,
  { path, uid, gid }: ListedEntry,
): Promise<void> => {
  // A name that is no UTF-8 cannot be looked up by what JSON says of it.
  const now = await lstat(`${root}${path}`).catch(() => ({ uid: process.geteuid?.(), gid: process.getegid?.() }));
  if (now.uid !== uid || now.gid !== gid) found.add("owner", path, { uid, gid });
};
