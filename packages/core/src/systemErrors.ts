import { constants } from "node:os";

/** What failed system calls have in common, whichever side they happened on. */
export type SystemFailure =
  /** No room left: blocks, inodes, a quota, the largest file. */
  | "space"
  /** This program's user may not, or nobody may: a read-only file system. */
  | "refused"
  /** Something is not where, or not what, it has to be. */
  | "place"
  /** A limit of this machine: memory, open files, locks. */
  | "limit"
  /** The other end of a connection, or the way to it. */
  | "network"
  /** The file system or the network does not work as it should. */
  | "fault";

const codesOf: Readonly<Record<Exclude<SystemFailure, "fault">, readonly string[]>> = {
  space: ["ENOSPC", "EDQUOT", "EFBIG"],
  refused: ["EACCES", "EPERM", "EROFS"],
  place: ["ENOENT", "ENOTDIR", "EISDIR", "EEXIST", "ENOTEMPTY", "ELOOP", "ENAMETOOLONG", "ETXTBSY"],
  limit: ["EMFILE", "ENFILE", "ENOMEM", "EAGAIN", "EWOULDBLOCK", "ENOLCK", "ENOBUFS"],
  network: [
    ...[
      "ECONNABORTED",
      "ECONNREFUSED",
      "ECONNRESET",
      "EHOSTDOWN",
      "EHOSTUNREACH",
      "ENETDOWN",
      "ENETRESET",
      "ENETUNREACH",
    ],
    ...["ETIMEDOUT", "EPIPE", "EADDRINUSE", "EADDRNOTAVAIL", "EAFNOSUPPORT"],
  ],
};

const failureOfCode = new Map<string, SystemFailure>(Object.keys(constants.errno).map((code) => [code, "fault"]));
for (const [failure, codes] of Object.entries(codesOf))
  for (const code of codes) failureOfCode.set(code, failure as SystemFailure);

/** The code that Node gives a failed system call, such as `ENOENT`. */
export const systemCodeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;

/** What a failed system call means; `undefined` for whatever else was thrown. */
export const systemFailureOf = (error: unknown): SystemFailure | undefined =>
  failureOfCode.get(systemCodeOf(error) ?? "");

/** What programs print for an error number, in the C library's words. Go's are the same in lower case. */
const codeOfWords: Readonly<Record<string, string>> = {
  "no space left on device": "ENOSPC",
  "disk quota exceeded": "EDQUOT",
  "file too large": "EFBIG",
  "permission denied": "EACCES",
  "operation not permitted": "EPERM",
  "read-only file system": "EROFS",
  "invalid argument": "EINVAL",
  "operation not supported": "ENOTSUP",
  "not supported": "ENOTSUP",
  "function not implemented": "ENOSYS",
  "too many open files": "EMFILE",
  "too many open files in system": "ENFILE",
  "cannot allocate memory": "ENOMEM",
  "resource temporarily unavailable": "EAGAIN",
  "no locks available": "ENOLCK",
  "input/output error": "EIO",
  "remote i/o error": "EIO",
  "no such file or directory": "ENOENT",
  "not a directory": "ENOTDIR",
  "is a directory": "EISDIR",
  "file exists": "EEXIST",
  "directory not empty": "ENOTEMPTY",
  "too many levels of symbolic links": "ELOOP",
  "file name too long": "ENAMETOOLONG",
  "stale file handle": "ESTALE",
  "stale nfs file handle": "ESTALE",
  "device or resource busy": "EBUSY",
  "invalid cross-device link": "EXDEV",
  "no such device or address": "ENXIO",
  "no such device": "ENODEV",
  "too many links": "EMLINK",
  "argument list too long": "E2BIG",
  "numerical result out of range": "ERANGE",
  "value too large for defined data type": "EOVERFLOW",
  "structure needs cleaning": "EIO",
  "transport endpoint is not connected": "ENOTCONN",
  "host is down": "EHOSTDOWN",
  "no route to host": "EHOSTUNREACH",
};

/** The code that a line of a program's ends with. Names of files stand before it, so nothing else is looked at. */
export const codeAtEnd = (line: string): string | undefined =>
  codeOfWords[/: ([^:]*)$/.exec(line)?.[1]?.trim().toLowerCase() ?? ""];

export const failureOf = (code: string): SystemFailure => failureOfCode.get(code) ?? "fault";
