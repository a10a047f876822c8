import { dirname, extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type InputIssue, InvalidInputError } from "../errors.ts";
import { valueAt } from "./fieldPath.ts";
import { identifier } from "./fields.ts";
import { parseJson } from "./jsonText.ts";
import { findPlaceIssues, findWeakSettings } from "./places.ts";
import { readText } from "./readText.ts";
import { checkInstallationReferences, checkReferences, type ReferenceSurroundings } from "./referenceChecks.ts";
import { resolveConfig, resolveConnection, resolveNotifications } from "./resolve.ts";
import { type ConfigFile, configSchema, connectionSchema, notificationsSchema } from "./schema.ts";
import type { Config, NotificationSettings, OpenEmrConnection } from "./settings.ts";
import { parseStrictly } from "./strict.ts";

/** A configuration that was read from a file and found in order. */
export interface LoadedConfig extends Config {
  /** Absolute name of the file. */
  readonly path: string;
  /** The configuration as it was written: what a container gets. */
  readonly written: ConfigFile;
  /** What works, yet deserves a second look, with the field's path. */
  readonly warnings: readonly InputIssue[];
}

export interface LoadOptions {
  /** Where `env:NAME` is looked up at once; not set, only when the secret is read. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** The one installation of interest: files and variables of the others need not be on this machine. */
  readonly installation?: string;
}

/** Runs a `.ts` configuration and takes its default export. What the code throws is not repeated: it may quote a password. */
const importDefault = async (path: string): Promise<unknown> => {
  const module: Readonly<Record<string, unknown>> = await import(pathToFileURL(path).href).catch((cause: unknown) => {
    const message = `${path} cannot be imported; run "node ${path}" to see where it fails`;
    throw new InvalidInputError([{ path: "", message }], { cause });
  });
  if (module.default !== undefined) return module.default;
  throw new InvalidInputError([{ path: "", message: `${path} lacks "export default" with the configuration` }]);
};

/** What a configuration holds, wherever its text came from. */
const checkConfig = async (
  input: unknown,
  path: string,
  directory: string,
  { environment, installation }: LoadOptions,
): Promise<LoadedConfig> => {
  const parsed = parseStrictly(configSchema, input);
  const shapeIssues = "issues" in parsed ? parsed.issues : [];
  const surroundings: ReferenceSurroundings = { directory, ...(environment ? { environment } : {}) };
  const references = await checkInstallationReferences(input, shapeIssues, surroundings, installation);
  const config = "data" in parsed ? resolveConfig(parsed.data, directory) : undefined;
  const issues = [...shapeIssues, ...(config ? findPlaceIssues(config) : []), ...references.issues];
  if (!config || issues.length > 0) throw new InvalidInputError(issues);
  return {
    ...config,
    path,
    written: input as ConfigFile,
    warnings: [...references.warnings, ...findWeakSettings(config)],
  };
};

const readInput = async (path: string): Promise<unknown> => {
  const extension = extname(path);
  if (extension !== ".json" && extension !== ".ts") {
    throw new InvalidInputError([{ path: "", message: `${path} is no configuration; expected a .json or .ts file` }]);
  }
  const text = await readText(path);
  return extension === ".json" ? parseJson(text) : importDefault(path);
};

/**
 * Reads a configuration, checks all of it and all that it refers to, and changes nothing. Safe to repeat.
 *
 * @param path a `.json` or `.ts` file; relative names in it start at its directory
 * @throws {InvalidInputError} fatal: with every issue that was found, under its field's path
 */
export const loadConfig = async (path: string, options: LoadOptions = {}): Promise<LoadedConfig> => {
  const file = resolve(path);
  return checkConfig(await readInput(file), file, dirname(file), options);
};

/**
 * The part of a configuration that says how people are notified, however wrong the rest is, and the identifiers of its
 * installations, as far as they are right. Safe to repeat.
 *
 * @throws {InvalidInputError} fatal: that part is wrong, or the file is no configuration
 */
export const loadNotifications = async (
  path: string,
): Promise<NotificationSettings & { readonly installations: readonly string[] }> => {
  const file = resolve(path);
  const input = await readInput(file);
  const parsed = parseStrictly(notificationsSchema, input);
  if ("issues" in parsed) throw new InvalidInputError(parsed.issues);
  const list = valueAt(input, ["installations"]);
  const ids = (Array.isArray(list) ? list : []).map((one) => identifier.safeParse(valueAt(one, ["id"])).data);
  return { ...resolveNotifications(parsed.data, dirname(file)), installations: ids.filter((id) => id !== undefined) };
};

/**
 * The same for a configuration that came as JSON text, as containers get theirs.
 *
 * @param from what held the text; stands for the file's name in messages
 * @param directory where relative names start
 */
export const loadConfigText = async (
  text: string,
  { from, directory, ...options }: LoadOptions & { readonly from: string; readonly directory: string },
): Promise<LoadedConfig> => checkConfig(parseJson(text), from, directory, options);

/**
 * Reads a JSON file with the connection that a restored OpenEMR shall use (`host`, `port`, `name`, `user`, `passwordFile`).
 *
 * @throws {InvalidInputError} fatal: as `loadConfig`
 */
export const loadConnection = async (
  path: string,
  options: Pick<LoadOptions, "environment"> = {},
): Promise<OpenEmrConnection> => {
  const file = resolve(path);
  return checkConnection(parseJson(await readText(file)), { directory: dirname(file), ...options });
};

/** The same for a connection that is already read. `directory`: where relative names start. */
export const checkConnection = async (
  input: unknown,
  { directory, environment }: Pick<LoadOptions, "environment"> & { readonly directory: string },
): Promise<OpenEmrConnection> => {
  const parsed = parseStrictly(connectionSchema, input);
  const shapeIssues = "issues" in parsed ? parsed.issues : [];
  const surroundings: ReferenceSurroundings = { directory, ...(environment ? { environment } : {}) };
  const references = await checkReferences(connectionSchema, input, shapeIssues, surroundings);
  const issues = [...shapeIssues, ...references.issues];
  if (!("data" in parsed) || issues.length > 0) throw new InvalidInputError(issues);
  return resolveConnection(parsed.data, directory);
};
