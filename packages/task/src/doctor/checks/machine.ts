import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { type SecretReference, secretsIn } from "@openemr-ops/core/config/secrets";
import type { Config } from "@openemr-ops/core/config/settings";
import { type InputIssue, InvalidInputError } from "@openemr-ops/core/errors";
import { shellWord } from "@openemr-ops/core/shell";
import { nearestExisting } from "@openemr-ops/files/directory";
import { assertMetricsFile } from "../../metrics/metricsFile.ts";
import type { Check } from "../check.ts";
import { ok, problem, type Sight, warning } from "../finding.ts";

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, "0");

const mayWrite = (path: string): Promise<boolean> =>
  access(path, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );

/** What a directory is good for that a program makes when it first needs it. */
export const lookAtOwnDirectory = async (path: string, what: string): Promise<Sight> => {
  const there = await nearestExisting(path).catch(() => path);
  const found = await stat(there).catch(() => undefined);
  const next = "name a directory that this program's user may write to, or give it to that user";
  if (found && !found.isDirectory()) return problem(`${there} is not a directory`, next);
  if (!found || !(await mayWrite(there))) return problem(`this user may not write to ${there}`, next);
  return ok(
    there === path ? `${what} ${path} can be written to` : `${what} ${path} does not exist yet; a job makes it`,
  );
};

const stateDirectory = async (path: string): Promise<Sight> => {
  const sight = await lookAtOwnDirectory(path, "the state directory");
  const found = await stat(path).catch(() => undefined);
  if (sight.status !== "ok" || !found || (found.mode & 0o077) === 0) return sight;
  return warning(
    `${path} has mode ${octal(found.mode)}: other users see the records of jobs`,
    `run: chmod 700 ${shellWord(path)}`,
  );
};

/** Whoever may write to a directory can put another file in a secret's place. */
const lookAtSecretDirectory = async (directory: string, { field }: SecretReference): Promise<readonly Sight[]> => {
  const found = await stat(directory).catch(() => undefined);
  if (!found || (found.mode & 0o022) === 0 || (found.mode & 0o1000) !== 0) return [];
  const seen = `${directory}, where the secret is, has mode ${octal(found.mode)}: others can replace the secret`;
  return [warning(seen, `run: chmod go-w ${shellWord(directory)}`, field)];
};

const secretFiles = async (config: Pick<Config, "installations" | "notifications">): Promise<readonly Sight[]> => {
  const files = secretsIn(config).flatMap((reference) =>
    reference.kind === "file" ? [[dirname(reference.path), reference] as const] : [],
  );
  const sights = await Promise.all(
    [...new Map(files.toReversed())].map(([directory, reference]) => lookAtSecretDirectory(directory, reference)),
  );
  const found = sights.flat();
  if (found.length > 0) return found;
  return [ok(files.length === 0 ? "no secret is in a file" : `${files.length} secrets are in files of their own`)];
};

const toNotify = "set notifications, so that a person is notified of a job that fails";

const notifications = (config: Config): Sight => {
  const { alarms: _, ...ways } = config.notifications;
  const names = Object.entries(ways).flatMap(([name, way]) => (way === undefined ? [] : [name]));
  return names.length === 0
    ? warning("nobody is notified when a job fails", toNotify)
    : ok(`people are notified by ${names.join(", ")}`);
};

/** Jobs go on without it, and warn. */
const metricsFile = async ({ metricsFile: path }: Config): Promise<Sight> => {
  if (path === undefined) return ok("no job keeps metrics");
  try {
    await assertMetricsFile(path);
    return ok(`jobs keep metrics in ${path}`);
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    const [issue] = error.issues;
    return warning(
      issue?.message ?? error.message,
      "make it a file that this program's user may write, or name another",
    );
  }
};

/** A configuration, and what reading it found that works and deserves a second look. */
export interface CheckedConfig extends Config {
  readonly warnings: readonly InputIssue[];
}

/** What is the same for every installation. */
export const machineChecks = (config: CheckedConfig): readonly Check[] => {
  const { warnings } = config;
  return [
    {
      name: "configuration",
      field: "",
      look: async () =>
        warnings.length === 0
          ? ok("every field is valid")
          : warnings.map(({ path, message }) => warning(message, "change the setting, unless this is intended", path)),
    },
    { name: "secret-files", field: "", look: () => secretFiles(config) },
    { name: "state-directory", field: "stateDirectory", look: () => stateDirectory(config.stateDirectory) },
    { name: "notifications", field: "notifications", look: async () => notifications(config) },
    { name: "metrics-file", field: "metricsFile", look: () => metricsFile(config) },
  ];
};
