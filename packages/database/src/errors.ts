import {
  DatabaseAccessDeniedError,
  DatabaseDumpFailedError,
  DatabaseMissingError,
  DatabaseUnavailableError,
  DiskFullError,
  type OpsError,
  SourceLayoutError,
  TableLockedError,
} from "@openemr-ops/core/errors";
import { wordsFor } from "./errorWords.ts";

type Make = (message: string, options?: ErrorOptions) => OpsError;

const denied: Make = (message, options) => new DatabaseAccessDeniedError(message, options);
const unavailable: Make = (message, options) => new DatabaseUnavailableError(message, options);

/** The server takes connections with TLS alone. */
const insecureTransport = 3159;

/** Numbers of server and client errors. Source: MariaDB knowledge base, "MariaDB error codes". */
const byNumber: ReadonlyMap<number, Make> = new Map([
  // 2026: TLS is refused, or the certificate is none that we trust.
  ...[1044, 1045, 1142, 1143, 1227, 1370, 1698, 1820, 1862, 2026, 3118, insecureTransport, 4151].map(
    (number) => [number, denied] as const,
  ),
  [1049, (message, options) => new DatabaseMissingError(message, options)],
  [1176, (message, options) => new SourceLayoutError(`${message}; a view is where a table belongs`, options)],
  [1205, (message, options) => new TableLockedError(message, options)],
  [1021, (message, options) => new DiskFullError(message, options)],
  // 1317: somebody ended the statement; 4031: the server ended a connection that was idle.
  ...[1040, 1053, 1158, 1159, 1160, 1161, 1317, 1927, 2002, 2003, 2005, 2006, 2013, 2055, 4031].map(
    (number) => [number, unavailable] as const,
  ),
]);

const networkCodes: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EPIPE",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "PROTOCOL_CONNECTION_LOST",
]);
/** What the driver and Node say where TLS does not come about. */
const tlsCode = /^(HANDSHAKE_|ERR_SSL_|ERR_TLS_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH)/;

/**
 * The number where a client program says it by its own form, never elsewhere: names of tables are in the same line.
 * `mariadb-dump: Got error: 1045: "…`, `mariadb-dump: Error 2013: …`, `mariadb-dump: Couldn't execute '…': … (1142)`,
 * `ERROR 1062 (23000) at line 5: …`, our own `server error 1062 (23000)`.
 */
const numberIn = (line: string): number | undefined => {
  const found =
    /^[^\s:]+: Got error: (\d{4}): /.exec(line) ??
    /^[^\s:]+: Error (\d{4}): /.exec(line) ??
    /^(?:ERROR|server error) (\d{4}) \(/.exec(line) ??
    /^[^\s:]+: Couldn't execute '.* \((\d{4})\)$/.exec(line);
  return found ? Number(found[1]) : undefined;
};

const makerOf = (line: string, cause: unknown): Make | undefined => {
  const { errno, code = "" } = (cause ?? {}) as { readonly errno?: number; readonly code?: string };
  if (networkCodes.has(code)) return unavailable;
  if (tlsCode.test(code)) return denied;
  const number = errno !== undefined && errno > 0 ? errno : numberIn(line);
  if (number !== undefined) return byNumber.get(number);
  // The driver's own word for a statement on a connection that has ended; it has no number and names nothing.
  return /^ *Can't add new command when connection is in closed state$/.test(line) ? unavailable : undefined;
};

/** The server's own number of the error that a statement failed with; 0 where there is none. */
export const serverErrorOf = (error: unknown): number => {
  const cause = error instanceof Error ? error.cause : undefined;
  return typeof cause === "object" && cause !== null && "errno" in cause ? Number(cause.errno) : 0;
};

/** How a connection failed because of TLS: the server has none, takes none without it, or its certificate is not trusted. */
export type TlsFailure = "not offered" | "demanded" | "not trusted";

/** @returns undefined for a failure of another kind, also where a server hides why it refuses a login without TLS */
export const tlsFailureOf = (error: unknown): TlsFailure | undefined => {
  const cause = error instanceof Error ? error.cause : undefined;
  const { code = "", errno = 0 } = (cause ?? {}) as { readonly code?: string; readonly errno?: number };
  if (code === "HANDSHAKE_NO_SSL_SUPPORT") return "not offered";
  if (errno === insecureTransport) return "demanded";
  return tlsCode.test(code) ? "not trusted" : undefined;
};

/** What client programs print beside an error: warnings, of TLS or of their own names, and rules around a statement. */
const noError = /^(?:WARNING: |Warning: |-+$|[^\s:]+: Deprecated program name)/i;
/** The dump program's own, without a number. */
const missingTable = /^[^\s:]+: Couldn't find table: "/;

/** Errors of which the server quotes names of tables, programs and collations, and never a value. */
const quotesNamesOnly: ReadonlySet<number> = new Set([
  ...[1005, 1030, 1044, 1045, 1049, 1051, 1054, 1109, 1115, 1142, 1143, 1146, 1227, 1273, 1286, 1304, 1305, 1356, 1370],
  ...[1418, 1419, 1449],
]);

/** The driver's word for a login that it does not know names a page that is not written. */
const unknownLogin = /unknown plugin (\w+)\. See TODO.*$/;

/**
 * What the server's client said, as far as it quotes no value of a row: all of it where names alone are quoted, else number
 * and state. Behind a rule stands the statement.
 */
export const sayable = (said: string): string => {
  const [line = "", number, state] = /^.*?ERROR (\d+) \((\w+)\).*$/m.exec(said) ?? [];
  if (!number) return said.split(/^-+$/m)[0] ?? "";
  const words = line.slice(line.indexOf("ERROR "));
  return quotesNamesOnly.has(Number(number)) ? words : `server error ${number} (${state})`;
};

/** Without what the server quotes, values of rows and pieces of statements; its number and first words say what happened. */
const withoutValues = (line: string): string => line.replace(/\s*['"`].*$/s, " …");

/**
 * What an error of the server, the driver or the client programs means to us: by its number or code, not by words, for names
 * of tables can hold any words.
 *
 * @param said the driver's message, or the program's standard error
 * @param cause the driver's error
 */
export const databaseError = (
  doing: string,
  said: string,
  cause?: unknown,
  otherwise: Make = (message, options) => new DatabaseDumpFailedError(message, options),
): OpsError => {
  const lines = said
    .split("\n")
    .map((text) => text.trim())
    .filter((text) => !noError.test(text));
  const line = (lines.find((text) => numberIn(text)) ?? lines.find((text) => text !== "") ?? "no message").slice(
    0,
    300,
  );
  const { errno = 0 } = (cause ?? {}) as { readonly errno?: number };
  const number = errno || numberIn(line);
  const plugin = unknownLogin.exec(line)?.[1];
  if (plugin)
    return denied(
      `${doing}: the user logs in with the plugin ${plugin}, which this program does not know: let it log in with mysql_native_password or caching_sha2_password, such as ALTER USER … IDENTIFIED VIA mysql_native_password`,
      { cause },
    );
  const make = makerOf(line, cause);
  const shown = make || quotesNamesOnly.has(number ?? 0) || missingTable.test(line) ? line : withoutValues(line);
  const meaning = wordsFor(number, line);
  return (make ?? otherwise)(`${doing}: ${shown}${meaning ? `: ${meaning}` : ""}`, { cause });
};
