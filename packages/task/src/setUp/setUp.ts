import { existsSync } from "node:fs";
import { join } from "node:path";
import { loadConfig, loadConfigText } from "@openemr-ops/core/config/load";
import { findPlaceIssues, findWeakSettings } from "@openemr-ops/core/config/places";
import { resolveConfig } from "@openemr-ops/core/config/resolve";
import { configSchema } from "@openemr-ops/core/config/schema";
import type { Config } from "@openemr-ops/core/config/settings";
import { parseStrictly } from "@openemr-ops/core/config/strict";
import { type InputIssue, InvalidInputError, ToolFailedError } from "@openemr-ops/core/errors";
import { shellWord } from "@openemr-ops/core/shell";
import { newPassword } from "@openemr-ops/database/users/newPassword";
import type { PreparedUser, WantedUser } from "@openemr-ops/database/users/prepareUsers";
import { runToExit } from "@openemr-ops/files/runToExit";
import { configurationOf, databaseUserRoles, drillDirectoryOf, passwordFileOf } from "./configurationText.ts";
import { type FoundOpenEmr, findOpenEmr } from "./findOpenEmr.ts";
import {
  assertDirectories,
  type DecidedFile,
  decideFile,
  type FileAction,
  makeDirectory,
  type PlannedFile,
  writeDecided,
} from "./plannedFile.ts";
import type { SetUpRequest } from "./request.ts";
import { scheduleFiles, timersOf, writtenPaths } from "./scheduleFiles.ts";
import { makeUsers, missingUsers, sqlFor, usersToMake } from "./setUpUsers.ts";

/** What was done to a machine, or would be. */
export interface SetUpResult {
  readonly dryRun: boolean;
  /** Path of the configuration. */
  readonly configuration: string;
  readonly installations: readonly string[];
  /** Not set where a configuration was there: nothing else was looked at. */
  readonly openemr?: Pick<FoundOpenEmr, "sitesPath" | "sites" | "database" | "server">;
  /** In the order in which they are written. `text`: in a dry run, of what would be written and is no secret. */
  readonly files: readonly {
    readonly path: string;
    readonly mode: string;
    readonly action: FileAction;
    readonly text?: string;
  }[];
  /** Database users that were made, or would be, by the administrator. */
  readonly users: readonly PreparedUser[];
  /** Programs that were run, or would be. */
  readonly ran: readonly string[];
  readonly warnings: readonly string[];
  /** What is left to do, in this order. */
  readonly next: readonly string[];
}

export interface SetUpSurroundings {
  readonly dryRun: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** Fields of the request by those of the configuration that they become. */
const requestFields: readonly (readonly [RegExp, keyof SetUpRequest])[] = [
  [/^stateDirectory$/, "state"],
  [/\.dumps\.destination$/, "destination"],
  [/\.sites\.path$/, "sites"],
  [/\.host$/, "host"],
  [/\.port$/, "port"],
  [/\.caFile$/, "caFile"],
  [/\.tls$/, "tls"],
  [/\.drill\.directory$/, "state"],
];

const named = ({ path, message }: InputIssue): InputIssue => ({
  path: requestFields.find(([pattern]) => pattern.test(path))?.[1] ?? path,
  message,
});

/** The configuration as jobs will read it. @throws {InvalidInputError} before anything is written */
const checked = (written: object, directory: string): Config => {
  const parsed = parseStrictly(configSchema, written);
  if ("issues" in parsed) throw new InvalidInputError(parsed.issues.map(named));
  const config = resolveConfig(parsed.data, directory);
  const issues = findPlaceIssues(config);
  if (issues.length > 0) throw new InvalidInputError(issues.map(named));
  return config;
};

/** Part of a result. */
interface Done {
  readonly files: readonly DecidedFile[];
  readonly users: readonly PreparedUser[];
  readonly next: readonly string[];
}

const sqlFileOf = (directory: string): string => join(directory, "secrets/users.sql");
const sqlMark = '-- Written by "openemr-ops init".';

/** The administrator makes the users now; without one, a file says what to run. */
const settleUsers = async (
  request: SetUpRequest,
  found: FoundOpenEmr,
  users: readonly WantedUser[],
  { dryRun, signal }: SetUpSurroundings,
): Promise<Done> => {
  const { administrator, directory } = request;
  if (administrator)
    return { files: [], users: await makeUsers(users, found, administrator, { dryRun, signal }), next: [] };
  const missing = await missingUsers(users, found);
  if (missing.length === 0) return { files: [], users: [], next: [] };
  const path = sqlFileOf(directory);
  const sql = await sqlFor(missing, found, { hidden: dryRun });
  // What an earlier run wrote there has the same passwords; the rights may be others.
  const file = await decideFile({ path, mode: 0o600, text: () => `${sqlMark}\n${sql}`, mark: sqlMark });
  if (!dryRun) await writeDecided(file);
  const names = missing.map(({ user }) => user).join(", ");
  return {
    files: [file],
    users: [],
    next: [`mariadb < ${shellWord(path)}   # as the database's administrator: makes ${names}; then delete the file`],
  };
};
const passwordFiles = (directory: string): readonly PlannedFile[] =>
  [...databaseUserRoles, "repository" as const].map((role) => ({
    path: join(directory, passwordFileOf(role)),
    mode: 0o600,
    text: () => `${newPassword(role === "repository" ? 32 : 24)}\n`,
    secret: true,
  }));

const fileDirectoryOf = (config: Config): readonly string[] =>
  config.installations.flatMap(({ dumps }) =>
    dumps?.destination.kind === "file" ? [dumps.destination.directory] : [],
  );

interface NewConfiguration extends Done {
  readonly config: Config;
  readonly found: FoundOpenEmr;
  readonly warnings: readonly string[];
}

/** Writes passwords, then makes the users, then writes the configuration: it is there only when all that it names is. */
const makeConfiguration = async (
  request: SetUpRequest,
  path: string,
  surroundings: SetUpSurroundings,
): Promise<NewConfiguration> => {
  const { dryRun, signal, environment } = surroundings;
  const { directory, state } = request;
  const found = await findOpenEmr(request, signal);
  const written = configurationOf(request, found);
  const config = checked(written, directory);
  const [store] = fileDirectoryOf(config);
  await assertDirectories({ directory, state, ...(store === undefined ? {} : { destination: store }) });
  if (request.schedule) await scheduleFiles(config, directory, request.schedule); // refuses what it cannot schedule
  const users = usersToMake(found, (role) => join(directory, passwordFileOf(role)), signal);
  // Refused before anything is written, where a user has another password or is somebody else's.
  if (request.administrator) await makeUsers(users, found, request.administrator, { dryRun: true, signal });

  const secrets = await Promise.all(passwordFiles(directory).map(decideFile));
  const file = await decideFile({ path, mode: 0o600, text: () => json(written) });
  if (!dryRun) {
    const places = [directory, join(directory, "secrets"), state, drillDirectoryOf(request)];
    for (const place of store === undefined ? places : [...places, store]) await makeDirectory(place);
    for (const secret of secrets) await writeDecided(secret);
  }
  const made = await settleUsers(request, found, users, surroundings);
  if (!dryRun) {
    await loadConfigText(file.text(), { from: path, directory, environment });
    await writeDecided(file);
  }
  const isNew = secrets.some(({ path: at, action }) => action === "create" && at.endsWith("repository.password"));
  const keep = `keep a copy of ${join(directory, passwordFileOf("repository"))} in another place: without it nobody can ever read the dumps`;
  return {
    config,
    found,
    warnings: [...found.warnings, ...findWeakSettings(config).map((weak) => `${weak.path} ${weak.message}`)],
    files: [...secrets, ...made.files, file],
    users: made.users,
    next: [...made.next, ...(isNew ? [keep] : [])],
  };
};

/** Where systemd runs, this directory is. Source: man page sd_booted(3). */
const systemdRuns = (): boolean => existsSync("/run/systemd/system");

const enabling = (config: Config) => [
  ["systemctl", "daemon-reload"],
  ["systemctl", "enable", "--now", ...timersOf(config)],
];

const runAll = async (commands: readonly (readonly string[])[], signal: AbortSignal): Promise<void> => {
  for (const [program = "", ...args] of commands) {
    const { code } = await runToExit(program, args, { signal, limitSeconds: 120 });
    if (code !== 0)
      throw new ToolFailedError(
        `"${[program, ...args].join(" ")}" failed (exit status ${code}); everything is written: run it by hand to see why`,
      );
  }
};

const setUpSchedule = async (
  config: Config,
  { directory, schedule }: SetUpRequest,
  { dryRun, signal }: SetUpSurroundings,
): Promise<{
  readonly files: readonly DecidedFile[];
  readonly ran: readonly string[];
  readonly next: readonly string[];
}> => {
  if (!schedule) return { files: [], ran: [], next: [] };
  const files = await Promise.all((await scheduleFiles(config, directory, schedule)).map(decideFile));
  if (!dryRun) for (const file of files) await writeDecided(file);
  if (schedule.by === "cron") return { files, ran: [], next: [] };
  const commands = enabling(config);
  const lines = commands.map((words) => words.join(" "));
  if (schedule.root !== "/" || !systemdRuns()) return { files, ran: [], next: lines };
  if (!dryRun) await runAll(commands, signal);
  const absent = dryRun ? [] : writtenPaths(config).filter((path) => !existsSync(path));
  return {
    files,
    ran: lines,
    next: absent.map(
      (path) => `mkdir -m 700 ${shellWord(path)}   # or mount its disk: no job starts while it is absent`,
    ),
  };
};

const configurationIn = (directory: string): string => join(directory, "config.json");

/** Whether a configuration is there: then nothing has to be known of OpenEMR. */
export const hasConfiguration = (directory: string): boolean => existsSync(configurationIn(directory));

/**
 * Sets a machine up: passwords, database users, the configuration, and what runs its jobs. Finds by itself what it can. Never
 * overwrites a configuration or a password. Safe to repeat after a stop at any point, with the same request: the configuration is
 * written when all that it names is there, and what runs the jobs after it.
 *
 * @throws {InvalidInputError} fatal: an issue for each field that cannot serve
 * @throws {DatabaseUserNotOursError} refused
 * @throws what `findOpenEmr` and `prepareUsers` throw
 * @throws {ToolFailedError} fatal: systemd does not take the units
 */
export const setUp = async (request: SetUpRequest, surroundings: SetUpSurroundings): Promise<SetUpResult> => {
  const { dryRun } = surroundings;
  const path = configurationIn(request.directory);
  const present = hasConfiguration(request.directory) ? await loadConfig(path) : undefined;
  const kept: PlannedFile = { path, mode: 0o600, text: () => "" };
  const made = present
    ? { config: present, files: [await decideFile(kept)], users: [], warnings: [], next: [] }
    : await makeConfiguration(request, path, surroundings);
  const { config } = made;
  const schedule = await setUpSchedule(config, request, surroundings);
  const found = "found" in made ? made.found : undefined;
  const show = ({ path: at, mode, action, text, secret }: DecidedFile) => ({
    path: at,
    mode: mode.toString(8).padStart(4, "0"),
    action,
    ...(dryRun && !secret && (action === "create" || action === "replace") ? { text: text() } : {}),
  });
  return {
    dryRun,
    configuration: path,
    installations: config.installations.map(({ id }) => id),
    ...(found
      ? { openemr: { sitesPath: found.sitesPath, sites: found.sites, database: found.database, server: found.server } }
      : {}),
    files: [...made.files, ...schedule.files].map(show),
    users: made.users,
    ran: schedule.ran,
    warnings: made.warnings,
    next: [
      ...made.next,
      ...schedule.next,
      ...["doctor", "dump"].map((job) => `openemr-ops ${job} --config ${shellWord(path)}`),
    ],
  };
};
