/** Below OpenEMR's address, from 8.0.0 on. Both answer with status 200 in every state: only the body says what is. */
export const readinessPage = "meta/health/readyz";
export const livenessPage = "meta/health/livez";

/** What one of these pages says. It may also hold a message with names of hosts and users, which nobody may repeat. */
export type SelfReport =
  /** PHP runs; nothing is said of the database. */
  | { readonly state: "alive" }
  /** `failed`: checks that are not true. `unused`: what is false until somebody uses it for the first time. */
  | { readonly state: "ready"; readonly failed: readonly string[]; readonly unused: readonly string[] }
  /** It waits for its setup, and would empty a database that it finds. */
  | { readonly state: "setup" }
  | { readonly state: "error" };

/** `status` is `ready` also when one of these is false. */
const needed = ["installed", "database", "filesystem", "session", "cache"] as const;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const parse = (body: string): unknown => {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
};

/** Reads the body of `readinessPage` or `livenessPage`; `undefined` when it is none of them: another page, an older release. */
export const readSelfReport = (body: string): SelfReport | undefined => {
  const said = parse(body);
  if (!isObject(said)) return undefined;
  const checks = isObject(said.checks) ? said.checks : {};
  if (said.status === "alive") return { state: "alive" };
  if (said.status === "error") return { state: "error" };
  if (said.status === "setup_required") return { state: "setup" };
  if (said.status !== "ready") return undefined;
  if (checks.installed === false) return { state: "setup" };
  return {
    state: "ready",
    failed: needed.filter((name) => checks[name] !== true),
    unused: checks.oauth_keys === false ? ["oauth_keys"] : [],
  };
};

/**
 * Whether a page is the login form. It is shown only after the database was read. Where that fails, OpenEMR's page of errors
 * has status 200 too, but not this form.
 */
export const isLoginPage = (body: string): boolean =>
  ["authUser", "clearPass"].every((field) => new RegExp(`\\b(?:name|id)\\s*=\\s*["']?${field}\\b`).test(body));

/** Where OpenEMR's first page leads: to the login, to the setup where it is not installed, or elsewhere. */
export const leadsTo = ({ pathname }: URL): "login" | "setup" | "elsewhere" => {
  if (/\/setup\.php$/.test(pathname)) return "setup";
  return /\/interface\/login\/login\.php$/.test(pathname) ? "login" : "elsewhere";
};
