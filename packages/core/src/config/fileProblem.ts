const problems: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  ENOTDIR: "does not exist: a part of its path is not a directory",
  EACCES: "cannot be read: permission denied",
  EPERM: "cannot be read: permission denied",
  EISDIR: "is a directory; expected a file",
  ELOOP: "is a link that leads to itself",
  ENAMETOOLONG: "has too long a name",
};

/** Why a file could not be opened or read, in words that follow its name. Names no path. */
export const fileProblem = (error: unknown): string => {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
  return problems[code] ?? `cannot be read (${code})`;
};
