import { lstat } from "node:fs/promises";
import { createInterface } from "node:readline";
import { codeAtEnd, failureOf } from "@openemr-ops/core/systemErrors";
import type { StoreRun } from "./dumpStore.ts";
import { isRefusal, type NotRestoredKind, notRestoredCounter } from "./notRestored.ts";
import { resticMessage } from "./resticErrors.ts";
import type { ResticProgram } from "./resticProgram.ts";

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
    areOfAttributesAlone: () => announced !== undefined && announced > 0 && announced === attributes.total(),
    /** What is absent or in the way is so because of something before it. Damage outweighs the disk. */
    localFailure: () => (others === 0 ? local : undefined),
  };
};

interface Node {
  readonly message_type?: string;
  readonly struct_type?: string;
  readonly path?: string;
  readonly uid?: number;
  readonly gid?: number;
}

/** Compares whose files are with whose they were: by the snapshot's own list, not by what a restore said. */
export const addOwners = async (
  restic: ResticProgram,
  snapshot: string,
  { root, found, run }: { root: string; found: ReturnType<typeof notRestoredCounter>; run: StoreRun },
): Promise<void> => {
  const child = await restic.start(["ls", "--json", "--no-lock", snapshot], run);
  child.stdin.end();
  for await (const line of createInterface({ input: child.stdout })) {
    const { struct_type: type, path, uid = 0, gid = 0 } = (resticMessage(line) ?? {}) as Node;
    if (type !== "node" || path === undefined) continue;
    // A name that is no UTF-8 cannot be looked up by what JSON says of it.
    const now = await lstat(`${root}${path}`).catch(() => ({ uid: process.geteuid?.(), gid: process.getegid?.() }));
    if (now.uid !== uid || now.gid !== gid) found.add("owner", path, { uid, gid });
  }
  const end = await child.ended;
  run.signal.throwIfAborted();
  if (end.code !== 0) await restic.failed("looking up the owners in the dump", end);
};
