import { join } from "node:path";
import { phpTokens } from "./phpLexer.ts";
import { readIfPresent } from "./siteFiles.ts";
import { baseTable, columnsOf, type SqlReader, shortened } from "./sqlReader.ts";

/** A release of OpenEMR: of a database (table `version`) or of code (`version.php`). */
export interface OpenEmrVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** Patches applied on top of a release; 0 for none. */
  readonly realPatch: number;
  /** Such as `-dev`; empty for a release. */
  readonly tag: string;
  /** `v_database` only grows; equal numbers mean the same schema. */
  readonly database: number;
  readonly acl: number;
}

/** Row of table `version`; `undefined` when table or row is absent. */
export const readVersion = async (database: SqlReader): Promise<OpenEmrVersion | undefined> => {
  const columns = [...(await columnsOf(database, "version"))].filter((column) => /^v_[a-z]{1,20}$/.test(column));
  if (columns.length === 0) return undefined;
  const values = columns.map((column) => `${shortened(column, 255)} AS \`${column}\``).join(", ");
  const [row] = await database.rows(`SELECT ${values} FROM ${baseTable("version")} LIMIT 1`);
  return row && fromVariables(new Map(Object.entries(row).map(([name, value]) => [name, value ?? ""])));
};

/**
 * Which image release the sites tree belongs to; containers upgrade from there. `undefined` counts as 0 for them.
 *
 * @throws {SourceUnreadableError} fatal: the file exists and cannot be read
 */
export const readDockerVersion = async (sitesPath: string, site = "default"): Promise<number | undefined> => {
  const path = join(site, "docker-version");
  const text = (await readIfPresent(join(sitesPath, path), path, 4096))?.toString("latin1").trim();
  return text !== undefined && /^[0-9]{1,9}$/.test(text) ? Number(text) : undefined;
};

/**
 * Release of the code below `openEmrPath`, from its `version.php`, which is read and not run; `undefined` when there is none.
 *
 * @throws {SqlconfError} fatal: the file is not readable PHP
 */
export const readCodeVersion = async (openEmrPath: string): Promise<OpenEmrVersion | undefined> => {
  const content = await readIfPresent(join(openEmrPath, "version.php"), "version.php");
  if (content === undefined) return undefined;
  const variables = new Map<string, string>();
  const tokens = phpTokens(content.toString("latin1"));
  for (const [index, name] of tokens.entries()) {
    const [equals, value, end] = tokens.slice(index + 1, index + 4);
    if (name.kind !== "variable" || equals?.text !== "=" || end?.text !== ";") continue;
    if (value?.kind === "string") variables.set(name.text.slice(1), value.value ?? "");
    if (value?.kind === "number") variables.set(name.text.slice(1), value.text);
  }
  return fromVariables(variables);
};

/**
 * Below 0 when `a` is older. `v_database` decides; with equal schemas, the release numbers do. Tags and patches are not compared.
 */
export const compareVersions = (a: OpenEmrVersion, b: OpenEmrVersion): number =>
  a.database - b.database || a.major - b.major || a.minor - b.minor || a.patch - b.patch;

/** As OpenEMR shows it: `8.1.0`, `7.0.3 (2)` with patches, `8.2.0-dev`. */
export const formatVersion = ({ major, minor, patch, tag, realPatch }: OpenEmrVersion): string =>
  `${major}.${minor}.${patch}${tag}${realPatch > 0 ? ` (${realPatch})` : ""}`;

const fromVariables = (variables: ReadonlyMap<string, string>): OpenEmrVersion | undefined => {
  const number = (name: string): number => {
    const value = Number(variables.get(name) || 0);
    return Number.isInteger(value) ? value : 0;
  };
  if (!variables.has("v_major")) return undefined;
  return {
    major: number("v_major"),
    minor: number("v_minor"),
    patch: number("v_patch"),
    realPatch: number("v_realpatch"),
    tag: variables.get("v_tag") ?? "",
    database: number("v_database"),
    acl: number("v_acl"),
  };
};
