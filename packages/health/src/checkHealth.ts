import {
  DatabaseAccessDeniedError,
  DatabaseMissingError,
  DatabaseUnavailableError,
  type HealthCheck,
  InstallationUnhealthyError,
  SourceUnreadableError,
  SqlconfError,
  toOpsError,
} from "@openemr-ops/core/errors";
import { formatBytes } from "@openemr-ops/core/format";
import { networkFailureOf } from "@openemr-ops/core/networkFailure";
import type { SqlReader } from "@openemr-ops/openemr/sqlReader";
import { compareVersions, formatVersion, type OpenEmrVersion, readVersion } from "@openemr-ops/openemr/version";
import { type Finding, notInstalled } from "./probeHttp.ts";

/** One thing to look at. */
export interface Probe {
  readonly name: string;
  /** Where, for a dry run. */
  readonly at: string;
  /** @param signal aborted when it takes too long */
  readonly look: (signal: AbortSignal) => Promise<Finding>;
}

/** A login to a database, and what is known of it. */
export interface DatabaseLogin {
  readonly host: string;
  readonly configured: boolean;
  /** OpenEMR shows the server a certificate, which we do not. */
  readonly showsCertificate: boolean;
  /** @throws the `Database…Error` family */
  readonly connect: () => Promise<SqlReader & AsyncDisposable>;
}

/** Where a login is written down. */
export interface WrittenLogin {
  /** Whose it is, in words: `site default`. */
  readonly of: string;
  /** @throws {SqlconfError} @throws {SourceUnreadableError} */
  readonly read: () => Promise<DatabaseLogin>;
}

const passed = (detail: string, more: Partial<Finding> = {}): Finding => ({ status: "ok", detail, ...more });
const unknown = (detail: string, next?: string): Finding => ({
  status: "unknown",
  detail,
  ...(next === undefined ? {} : { next }),
});

/** Something that cannot be looked at from here, and why. */
export const outOfReach = (name: string, why: string): Probe => ({ name, at: why, look: async () => unknown(why) });

const databaseFailure = ({ host, showsCertificate }: DatabaseLogin, error: unknown): Finding => {
  const failed = (detail: string, next: string): Finding => ({ status: "failed", detail, next });
  if (showsCertificate) return unknown("OpenEMR logs in with a client certificate, which this check does not show");
  if (error instanceof DatabaseAccessDeniedError)
    return failed("the database server refuses the login", "compare user and password with what the server expects");
  if (error instanceof DatabaseMissingError)
    return failed("the schema does not exist", "find out what happened to it before anything starts OpenEMR");
  if (error instanceof DatabaseUnavailableError) {
    if (["ENOTFOUND", "EAI_AGAIN"].includes(networkFailureOf(error) ?? ""))
      return unknown("the name of the database server is not known here", "check from where OpenEMR runs");
    if (host === "localhost")
      return unknown("the server does not answer over TCP; OpenEMR uses a socket for localhost");
    return failed("the database server does not answer", "check that the database server runs and can be reached");
  }
  return failed(`the database fails (${toOpsError(error).name})`, "read the log of the database server");
};

/** Uses one connection, which is closed however `work` ends, and at once when there is no time left. */
const connected = async <Result>(
  { connect }: DatabaseLogin,
  signal: AbortSignal,
  work: (reader: SqlReader) => Promise<Result>,
): Promise<Result> => {
  await using connection = await connect();
  signal.throwIfAborted();
  const close = () => void connection[Symbol.asyncDispose]();
  signal.addEventListener("abort", close);
  try {
    return await work(connection);
  } finally {
    signal.removeEventListener("abort", close);
  }
};

const lookAtLogin = async (login: DatabaseLogin, signal: AbortSignal): Promise<Finding> => {
  if (!login.configured) return notInstalled;
  try {
    return await connected(login, signal, async (reader) => {
      await reader.rows("SELECT 1 AS one");
      return passed("reached");
    });
  } catch (error) {
    return databaseFailure(login, error);
  }
};

/** A file that cannot be read from here says nothing of OpenEMR, which reads it as another user. */
const lookAtWritten = async ({ of, read }: WrittenLogin, signal: AbortSignal): Promise<Finding> => {
  const login = await read().catch((error: unknown) => {
    if (error instanceof SqlconfError || error instanceof SourceUnreadableError) return error;
    throw error;
  });
  const finding =
    login instanceof Error
      ? unknown(login.message, "let this program read the sites directory, with values as plain strings")
      : await lookAtLogin(login, signal);
  return { ...finding, detail: `${of}: ${finding.detail}` };
};

const order = ["failed", "warning", "unknown", "ok"] as const;

/** Several findings as one: as bad as the worst, whose words it has. */
const worstOf = (findings: readonly Finding[]): Finding => {
  const status = order.find((one) => findings.some((finding) => finding.status === one)) ?? "unknown";
  const worst = findings.filter((finding) => finding.status === status);
  return { ...worst[0], status, detail: worst.map(({ detail }) => detail).join("; ") };
};

type ReadLogins = () => Promise<readonly WrittenLogin[]>;

/** Whether each login of OpenEMR reaches its schema. */
export const probeDatabase = (at: string, logins: ReadLogins): Probe => ({
  name: "database",
  at,
  look: async (signal) => {
    const all = await logins();
    if (all.length === 0) return { ...notInstalled, detail: `no site has a sqlconf.php; ${notInstalled.detail}` };
    return worstOf(await Promise.all(all.map((login) => lookAtWritten(login, signal))));
  },
});

/** @param readCode release of the code, where it can be read */
export const probeVersion = (
  at: string,
  logins: ReadLogins,
  readCode: () => Promise<OpenEmrVersion | undefined>,
): Probe => ({
  name: "version",
  at,
  look: async (signal) => {
    const written = await logins();
    const login = await (written.find(({ of }) => of === "site default") ?? written[0])?.read().catch(() => undefined);
    if (!login) return unknown("there is no login to read it with");
    const schema = await connected(login, signal, readVersion).catch(() => "not reached" as const);
    if (schema === "not reached") return unknown("the database is not reached");
    if (!schema) return unknown("the schema has no version of OpenEMR");
    const code = await readCode();
    const result = { version: formatVersion(schema) };
    if (!code || compareVersions(code, schema) <= 0) return passed(`OpenEMR ${result.version}`, { result });
    const detail = `the code is OpenEMR ${formatVersion(code)}, the schema still ${result.version}`;
    return { status: "warning", detail, next: "let OpenEMR upgrade its database", result };
  },
});

/** Sizes of a file system in bytes. */
export interface Space {
  readonly free: number;
  readonly total: number;
}

const mebibyte = 1024 ** 2;
const leastFree = 100 * mebibyte;
const plentyFree = 50 * 1024 * mebibyte;

/** Whether documents still find room. @param measure `undefined` where the files cannot be read */
export const probeSpace = (at: string, measure: () => Promise<Space | undefined>): Probe => ({
  name: "free-space",
  at,
  look: async () => {
    const space = await measure();
    if (!space) return unknown(`the sites directory ${at} is not available`, "mount its disk, or correct sites.path");
    const { free, total } = space;
    const detail = `${formatBytes(free)} of ${formatBytes(total)} are free for the sites directory`;
    const figures = { freeBytes: free };
    const next = "free space, or enlarge the file system";
    if (free < leastFree) return { status: "failed", detail, next, figures };
    if (free < plentyFree && free < total / 10) return { status: "warning", detail, next, figures };
    return passed(detail, { figures });
  },
});

const hoursOf = (days: number) => days * 24;
/** Older ones are worth a warning, whatever the schedule; `JobOverdue` reports a missed schedule. */
const oldest = { complete: hoursOf(7), verified: hoursOf(31) };

const ageOf = (hours: number): string => (hours < 48 ? `${Math.round(hours)} hours` : `${Math.floor(hours / 24)} days`);

/** How old the newest complete and the newest verified dump are. @param newest by listing alone */
export const probeDumps = (
  at: string,
  newest: () => Promise<{ readonly complete?: Date; readonly verified?: Date }>,
  now: () => Date,
): readonly Probe[] => {
  const found = (() => {
    let once: ReturnType<typeof newest> | undefined;
    return () => (once ??= newest());
  })();
  const probe = (which: "complete" | "verified", name: string, figure: string, next: string): Probe => ({
    name,
    at,
    look: async () => {
      const taken = (await found())[which];
      if (!taken) return { status: "warning", detail: `there is no ${which} dump`, next };
      const hours = Math.max(0, now().getTime() - taken.getTime()) / 3_600_000;
      const detail = `the newest ${which} dump is ${ageOf(hours)} old`;
      const figures = { [figure]: Math.floor(hours) };
      return hours > oldest[which] ? { status: "warning", detail, next, figures } : passed(detail, { figures });
    },
  });
  return [
    probe("complete", "newest-dump", "newestDumpHours", "take a dump, and look at why none came by itself"),
    probe("verified", "verified-dump", "verifiedDumpHours", "run a drill, or a check at level read-data"),
  ];
};

/** What would be looked at. */
export interface HealthPlan {
  readonly dryRun: true;
  readonly checks: readonly { readonly name: string; readonly at: string }[];
}

export const planHealth = (probes: readonly Probe[]): HealthPlan => ({
  dryRun: true,
  checks: probes.map(({ name, at }) => ({ name, at })),
});

export interface Health {
  readonly healthy: boolean;
  readonly checks: readonly HealthCheck[];
}

/** A healthy installation, and what its record keeps. */
export interface HealthResult extends Health {
  readonly figures: Readonly<Record<string, number>>;
  readonly result: Readonly<Record<string, string>>;
}

/** No look takes longer. */
const longestLook = 30_000;

const lookWithin = async ({ look }: Probe, signal: AbortSignal): Promise<Finding> => {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(longestLook)]);
  const late = Promise.withResolvers<Finding>();
  limited.addEventListener("abort", () => late.resolve(unknown("nothing was found out in time")));
  try {
    return await Promise.race([look(limited), late.promise]);
  } catch (error) {
    const { name } = toOpsError(error);
    return unknown(`could not be looked at (${name})`, "look at what this check needs, then run it again");
  }
};

/**
 * Looks at everything at once, with bounds in time. What cannot be looked at is `unknown`, and what needs somebody soon is a
 * warning: neither makes an installation unhealthy.
 *
 * @throws {InstallationUnhealthyError} fatal: a check failed; holds all of them
 */
export const checkHealth = async (
  installation: string,
  probes: readonly Probe[],
  signal: AbortSignal,
): Promise<HealthResult> => {
  const findings = await Promise.all(
    probes.map(async (probe) => ({ name: probe.name, ...(await lookWithin(probe, signal)) })),
  );
  signal.throwIfAborted();
  const checks = findings.map(
    ({ name, status, detail, next }): HealthCheck => ({
      name,
      ok: status !== "failed",
      status,
      detail,
      ...(next === undefined ? {} : { next }),
    }),
  );
  const failed = checks.filter(({ ok }) => !ok);
  if (failed.length > 0) {
    const words = failed.map(({ name, detail }) => `${name}: ${detail}`).join("; ");
    throw new InstallationUnhealthyError(`OpenEMR of ${installation} is not healthy: ${words}`, checks);
  }
  const count = (status: HealthCheck["status"]) => checks.filter((check) => check.status === status).length;
  return {
    healthy: true,
    checks,
    figures: Object.assign(
      { warnings: count("warning"), unknown: count("unknown") },
      ...findings.map(({ figures }) => figures),
    ),
    result: Object.assign({}, ...findings.map(({ result }) => result)),
  };
};
