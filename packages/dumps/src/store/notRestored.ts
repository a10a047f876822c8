import { codeAtEnd } from "@openemr-ops/core/systemErrors";
import { publicPlace } from "@openemr-ops/openemr/publicPlace";

export type NotRestoredKind = "owner" | "mode" | "times" | "attributes";

/** Attributes that the dump has of files and that could not be set here: their content is whole. */
export interface NotRestored {
  readonly kind: NotRestoredKind;
  /** Files and directories. */
  readonly count: number;
  /** Some of their places, told without the names of documents; of owners also whose they were, `uid:gid`. */
  readonly first: readonly string[];
}

const mostPlaces = 5;

/** @param path from the name of the tree itself on, as both programs tell it */
export const notRestoredCounter = () => {
  const found = new Map<NotRestoredKind, { count: number; first: Set<string> }>();
  return {
    add: (kind: NotRestoredKind, path: string, owner?: { readonly uid: number; readonly gid: number }): void => {
      const { count, first } = found.get(kind) ?? { count: 0, first: new Set<string>() };
      const place = publicPlace(path.replace(/^\/?[^/]*\/?/, ""));
      if (first.size < mostPlaces) first.add(owner ? `${place} (${owner.uid}:${owner.gid})` : place);
      found.set(kind, { count: count + 1, first });
    },
    drop: (kind: NotRestoredKind) => found.delete(kind),
    total: () => [...found.values()].reduce((sum, { count }) => sum + count, 0),
    has: (kind: NotRestoredKind) => found.has(kind),
    result: (): readonly NotRestored[] =>
      [...found].map(([kind, { count, first }]) => ({ kind, count, first: [...first] })),
  };
};

/** What a system answers that lets nobody, or not us, set an attribute. Every other answer means something worse. */
const refusals: ReadonlySet<string> = new Set(["EPERM", "EACCES", "EINVAL", "ENOTSUP", "ENOSYS", "EDQUOT"]);
/** What it answers besides to an extended attribute that is too large for it. */
const tooLarge: ReadonlySet<string> = new Set(["E2BIG", "ERANGE", "ENOSPC"]);

/** Whether a program's line ends in an answer that leaves the content of a file whole. */
export const isRefusal = (kind: NotRestoredKind, line: string): boolean => {
  const code = codeAtEnd(line) ?? "";
  return refusals.has(code) || (kind === "attributes" && tooLarge.has(code));
};
