import { failureOf } from "./systemErrors.ts";

/** Besides those of system calls. */
const codes = new Set([
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "EAI_AGAIN",
  "ENOTFOUND",
  "EPROTO",
  "ERR_SSL_WRONG_VERSION_NUMBER",
  "ERR_STREAM_PREMATURE_CLOSE",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "ESOCKETTIMEDOUT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_SOCKET",
]);

const codeOf = (error: object): string | undefined =>
  "code" in error && typeof error.code === "string" ? error.code : undefined;

/** The code of a connection that did not come about or broke off, searched through causes; `undefined` for other errors. */
export const networkFailureOf = (error: unknown, depth = 0): string | undefined => {
  if (typeof error !== "object" || error === null || depth > 5) return undefined;
  const code = codeOf(error);
  if (code !== undefined && (codes.has(code) || failureOf(code) === "network")) return code;
  if ("name" in error && (error.name === "TimeoutError" || error.name === "AbortError")) return "ETIMEDOUT";
  if (error instanceof AggregateError)
    return error.errors.map((inner) => networkFailureOf(inner, depth + 1)).find(Boolean);
  return "cause" in error ? networkFailureOf(error.cause, depth + 1) : undefined;
};
