/**
 * Where a row of `documents` has its file, relative to its site's `documents` directory: the last `path_depth` + 1 segments
 * of the URL, whatever stands before them. `undefined` when the URL names none.
 */
export const documentFile = (url: string | null, pathDepth: string | null): string | undefined => {
  const segments = (url ?? "").split("/").filter((segment) => segment !== "");
  const depth = Math.max(0, Number(pathDepth ?? 1) || 0);
  const last = segments.slice(-(depth + 1));
  if (last.length <= depth || last.some((segment) => segment === "." || segment === ".." || segment.includes("\0"))) {
    return undefined;
  }
  return last.join("/");
};
