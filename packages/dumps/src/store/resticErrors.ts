import { tmpdir } from "node:os";
import {
  DestinationAccessDeniedError,
  DestinationFullError,
  DestinationMissingError,
  DestinationThrottledError,
  DestinationUnavailableError,
  InstallationBusyError,
  IntegrityError,
  type OpsError,
  RepositoryPasswordError,
  ToolFailedError,
} from "@openemr-ops/core/errors";
import { codeAtEnd, failureOf } from "@openemr-ops/core/systemErrors";
import type { ChildEnd } from "@openemr-ops/files/child";
import { localFailureAt } from "./localFailureAt.ts";

type Make = (message: string) => OpsError;

const wrongPassword: Make = (m) =>
  new RepositoryPasswordError(`${m}: set passwordFile or password to the password that this repository was made with`);
const busy: Make = (m) => new InstallationBusyError(m);

const named: readonly (readonly [RegExp, Make])[] = [
  [
    /no space left on device|quota exceeded|QuotaExceeded|StorageFull|insufficient storage/i,
    (m) => new DestinationFullError(m),
  ],
  [/wrong password or no key found/i, wrongPassword],
  [/already locked|unable to create lock in backend: repository is/i, busy],
  [/SlowDown|reduce your request rate|TooManyRequests|rateLimitExceeded/i, (m) => new DestinationThrottledError(m)],
  [
    /AccessDenied|Access Denied|InvalidAccessKeyId|Access Key Id you provided|signature we calculated|x509: certificate|SignatureDoesNotMatch|permission denied|operation not permitted|read-only file system|403 Forbidden|Error 40[13]|could not find default credentials|token (included in the request )?(has|is) expired/i,
    (m) => new DestinationAccessDeniedError(m),
  ],
  [
    /connection refused|connection reset|no such host|i\/o timeout|deadline exceeded|network is unreachable|no route to host|connection timed out|host is down|server misbehaving|input\/output error|remote i\/o error|stale (nfs )?file handle|transport endpoint is not connected|structure needs cleaning|EOF$|503 Service/im,
    (m) => new DestinationUnavailableError(m),
  ],
  [
    /NoSuchBucket|bucket does not exist|does not exist: .*bucket|Is there a repository at the following location/i,
    (m) => new DestinationMissingError(m),
  ],
  // A directory that cannot be made is absent; nothing that was stored is damaged.
  [/create repository at .* failed/i, (m) => new DestinationMissingError(m)],
  [
    /ciphertext verification failed|hash mismatch|does not match|is damaged|invalid data returned|repository contains errors|integrity|blob .*not found|not found in (the )?(repository|index)|wrong ID|unexpected (pack|size)|invalid character|unable to load|failed to load|error loading|error for tree|no such file|file does not exist|checking.*fail|errors were found|pack .* (contains|not)/i,
    (m) => new IntegrityError(m),
  ],
];

/** restic's own words for exit codes; source: doc/075_scripting.rst. */
const byCode: Readonly<Record<number, Make>> = {
  10: (m) => new DestinationMissingError(m),
  11: busy,
  12: wrongPassword,
};

/** One line of `--json`; `undefined` for what is none. */
export const resticMessage = (line: string): Readonly<Record<string, unknown>> | undefined => {
  if (!line.startsWith("{")) return undefined;
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === "object" && parsed !== null ? (parsed as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
};

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
/** A complaint about one file of a tree, where names can hold any words. Releases without `--json` for a command write text. */
const ofItem = /^(error|warning|ignoring error for|error for tree|tree [0-9a-f]+|node)\b[^:]*: /i;

/** What restic says of itself and of the repository, one line each; what it says of single files of a tree is left out. */
export const resticWords = (errors: string): string =>
  errors
    .split("\n")
    .map((text) => {
      const line = text.trim();
      const message = resticMessage(line);
      if (!message) return ofItem.test(line) ? "" : line;
      if (textOf(message.item) !== "") return "";
      const { error } = message;
      return textOf(message.message) || textOf(error) || textOf((error as { message?: unknown } | undefined)?.message);
    })
    .filter((line) => line !== "")
    .join("\n");

/**
 * Google refuses the credentials themselves. restic tries such a request again for 15 minutes, in vain: its token
 * stays what it is, or there will be none.
 */
export const isRefused = (errors: string): boolean =>
  /googleapi: (?:Error|got HTTP response code) 401\b|oauth2\b.*(?:invalid_grant|invalid_target|invalid_client|unauthorized_client|status code 40[013])|cannot fetch token: 40[013]/i.test(
    resticWords(errors), // not what it says of a file, whose name can hold any words
  );

/** Whose lock it is, and since when, as restic says it in two lines. */
const holderIn = (words: string): string | undefined => {
  const [, holder] = /already locked (?:exclusively )?by (PID \d+ on [^\n]*)/.exec(words) ?? [];
  const [, since = "?"] = /lock was created at ([^\n(]*)/.exec(words) ?? [];
  return holder && `the repository is locked by restic, ${holder}, since ${since.trim()}`;
};

const next =
  "if that program still runs, wait for its end; if it is dead, type restic unlock, which removes its lock half an hour after it was last renewed, or at once with --remove-all";

/** The announcement that it tries again, for up to 15 minutes, and the reason. */
const retry = /^\w+\(.*\) returned error, retrying after \S+: (.*)$/;

/** Whether restic announces that it tries again what failed. */
export const isRetry = (line: string): boolean => retry.test(line);

/** The reason of a retry that is in vain: nobody makes a read-only file system writable meanwhile. */
const reasonInVain = (line: string): string | undefined => {
  const [, reason = ""] = retry.exec(line) ?? [];
  return /read-only file system$/i.test(reason) ? reason : undefined;
};

/** Whether to stop restic, since what it tries again cannot succeed. */
export const isInVain = (line: string): boolean => isRefused(line) || reasonInVain(line) !== undefined;

const meaningful = (words: string): string => {
  const all = words.split("\n");
  const [inVain] = all.flatMap((line) => reasonInVain(line) ?? []);
  const lines = all.filter((line) => !isRetry(line) && !line.startsWith("signal "));
  return inVain ?? lines.find((line) => /fatal|error/i.test(line)) ?? lines.at(-1) ?? "";
};

/** Directories of this machine in which restic works; whatever they lack, the destination does not. */
const ownDirectory = /\/(?:restic-temp-|restic-check-cache-|openemr-ops-repository-)/;
const isLocal = (line: string, cacheDirectory: string | undefined): boolean =>
  ownDirectory.test(line) || (cacheDirectory !== undefined && line.includes(`${cacheDirectory}/`));

/** The code of a complaint about a directory of this machine, not about what is read or where it is stored. */
export const localCodeOf = (said: string, cacheDirectory?: string): string | undefined =>
  isLocal(said, cacheDirectory) ? codeAtEnd(said) : undefined;

/** Names trouble that is this machine's alone: its directories, its memory, its limits. */
const localError = (
  doing: string,
  lines: readonly string[],
  cacheDirectory: string | undefined,
): OpsError | undefined => {
  for (const line of lines) {
    const code = localCodeOf(line, cacheDirectory);
    const place = cacheDirectory && line.includes(cacheDirectory) ? cacheDirectory : `TMPDIR (${tmpdir()})`;
    if (code) return localFailureAt(doing, place, code);
    const limit = /cannot allocate|out of memory/i.test(line) ? "ENOMEM" : codeAtEnd(line);
    if (limit && failureOf(limit) === "limit") return localFailureAt(doing, "this machine", limit);
  }
  return undefined;
};

const isFinal = (line: string): boolean => /^(fatal|panic|runtime)/i.test(line);

/** What restic's end means to us; `otherwise` names an unknown error. */
export const resticError = (
  doing: string,
  end: Pick<ChildEnd, "code" | "signal" | "errors">,
  {
    otherwise = (m) => new ToolFailedError(m),
    cacheDirectory,
  }: { readonly otherwise?: Make | undefined; readonly cacheDirectory?: string | undefined } = {},
): OpsError => {
  const lines = resticWords(end.errors).split("\n");
  // A cache that cannot be used is a warning, and says what another failure says: it is looked at last.
  const text = lines.filter((line) => !isLocal(line, cacheDirectory)).join("\n");
  const holder = holderIn(text);
  const refused = isRefused(end.errors);
  const said = holder
    ? `${holder}: ${next}`
    : refused
      ? "Google refuses the credentials or gives no new token; give this program credentials that are valid"
      : meaningful(text).slice(0, 300) || `restic ended by ${end.signal ?? `exit status ${end.code}`}`;
  const message = `${doing}: ${said}`;
  if (refused && !holder) return new DestinationAccessDeniedError(message);
  const make = (end.code !== null ? byCode[end.code] : undefined) ?? named.find(([pattern]) => pattern.test(text))?.[1];
  return (
    localError(doing, lines.filter(isFinal), cacheDirectory) ??
    make?.(message) ??
    localError(doing, lines, cacheDirectory) ??
    otherwise(message)
  );
};
