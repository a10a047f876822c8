import {
  DatabaseAccessDeniedError,
  DatabaseDumpFailedError,
  DatabaseMissingError,
  DatabaseUnavailableError,
  DiskFullError,
  type OpsError,
  TableLockedError,
} from "@openemr-ops/core/errors";

const named: readonly (readonly [RegExp, (message: string, options?: ErrorOptions) => OpsError])[] = [
  [
    /\b(1044|1045|1142|1143|1227|1370|1698|3118|3159|4151)\b|ER_(\w*ACCESS_?DENIED|\w*_ACCESS_DENIED)\w*|access denied|command denied|HANDSHAKE_SSL|self.signed|certificate|TLS\/SSL error|SSL is required/i,
    (message, options) => new DatabaseAccessDeniedError(message, options),
  ],
  [/\b1049\b|ER_BAD_DB_ERROR|unknown database/i, (message, options) => new DatabaseMissingError(message, options)],
  [/\b1205\b|ER_LOCK_WAIT_TIMEOUT|lock wait timeout/i, (message, options) => new TableLockedError(message, options)],
  [/\b1021\b|no space left|disk full/i, (message, options) => new DiskFullError(message, options)],
  [
    /\b(2002|2003|2005|2006|2013|2026|2055|1040|1053|1927)\b|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EPIPE|EHOSTUNREACH|PROTOCOL_CONNECTION_LOST|ER_CON_COUNT|ER_SERVER_SHUTDOWN|can't connect|lost connection|gone away|closed state/i,
    (message, options) => new DatabaseUnavailableError(message, options),
  ],
];

/** What a message of the server, the driver or the client programs means to us. */
export const databaseError = (
  doing: string,
  said: string,
  cause?: unknown,
  otherwise: (message: string, options?: ErrorOptions) => OpsError = (message, options) =>
    new DatabaseDumpFailedError(message, options),
): OpsError => {
  const line =
    said
      .split("\n")
      .find((text) => text.trim() !== "")
      ?.trim()
      .slice(0, 300) ?? "no message";
  const make = named.find(([pattern]) => pattern.test(line))?.[1] ?? otherwise;
  return make(`${doing}: ${line}`, { cause });
};
