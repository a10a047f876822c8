import { hash } from "node:crypto";
import { didYouMean } from "@openemr-ops/core/config/didYouMean";
import { type InputIssue, InvalidInputError } from "@openemr-ops/core/errors";
import type { DumpContext } from "../context.ts";
import type { Manifest } from "../manifest.ts";
import { assertNotLiveSchema, placeBeside } from "./restoreBeside.ts";

/** Which part of a dump to restore, and where to: always beside the live system. */
export interface PartOptions {
  /** `latest` or a dump's identifier. */
  readonly dump: string;
  /** Names of tables. */
  readonly tables?: readonly string[] | undefined;
  /** Patterns of files below the sites directory; see `fileSelection.ts`. */
  readonly files?: readonly string[] | undefined;
  /** A patient's number in OpenEMR (`pid`), in digits: the rows that hold it, and the files of the patient's documents. */
  readonly patient?: string | undefined;
  /** Of the patient's documents, where the dump has several sites. */
  readonly site?: string | undefined;
  readonly intoDatabase?: string | undefined;
  readonly intoSites?: string | undefined;
}

/** Where a part goes: a schema if it has rows, a directory if it has files. */
export interface PartTarget {
  readonly database?: string | undefined;
  readonly sites?: string | undefined;
}

/**
 * Both targets, checked; the directory as a path without links.
 *
 * @throws {InvalidInputError} fatal: nothing is selected, or a target is missing or not usable
 * @throws {InPlaceNotAllowedError} refused: a target is live
 */
export const partTarget = async (context: DumpContext, options: PartOptions): Promise<PartTarget> => {
  const { tables = [], files = [], patient, site, intoDatabase, intoSites } = options;
  const issues: InputIssue[] = [];
  const rows = tables.length > 0 || patient !== undefined;
  const tree = files.length > 0 || patient !== undefined;
  const complain = (path: keyof PartOptions, message: string) => issues.push({ path, message });
  if (!rows && !tree) complain("tables", "name what to restore: tables, files, or a patient");
  if (patient !== undefined && tables.length + files.length > 0)
    complain("patient", "excludes tables and files: restore these with another command");
  if (patient !== undefined && !/^[1-9]\d{0,17}$/.test(patient))
    complain("patient", "expected the patient's number in OpenEMR (pid), in digits");
  if (site !== undefined && patient === undefined) complain("site", "needs a patient");
  if (rows && intoDatabase === undefined) complain("intoDatabase", "is missing; name a new schema for the rows");
  if (!rows && intoDatabase !== undefined) complain("intoDatabase", "leave it out: files alone are restored");
  if (tree && intoSites === undefined) complain("intoSites", "is missing; name a new directory for the files");
  if (!tree && intoSites !== undefined) complain("intoSites", "leave it out: tables alone are restored");
  if (issues.length > 0) throw new InvalidInputError(issues);
  if (intoDatabase !== undefined) assertNotLiveSchema(context, intoDatabase);
  return {
    ...(intoDatabase === undefined ? {} : { database: intoDatabase }),
    ...(intoSites === undefined ? {} : { sites: await placeBeside(context, intoSites) }),
  };
};

/** @throws {InvalidInputError} fatal: the dump has no such table */
export const assertTables = ({ dumpId, database }: Manifest, tables: readonly string[]): void => {
  const known = database.tables.map(({ name }) => name);
  const issues = tables
    .filter((name) => !known.includes(name))
    .map((name) => {
      const close = didYouMean(name, known);
      const near = close === undefined ? known.filter((other) => other.includes(name)).slice(0, 5) : [close];
      const hint = near.length > 0 ? `; it has ${near.join(", ")}` : "";
      return {
        path: "tables",
        message: `dump ${dumpId} has no table ${name}${hint}. A view has no rows: name the tables that it reads`,
      };
    });
  if (issues.length > 0) throw new InvalidInputError(issues);
};

/** The site whose documents are meant. @throws {InvalidInputError} fatal: there is none of that name, or it is open which */
export const siteOf = ({ openemr: { sites } }: Manifest, site: string | undefined): string => {
  const names = sites.join(", ");
  const refuse = (message: string): never => {
    throw new InvalidInputError([{ path: "site", message }]);
  };
  if (site !== undefined) return sites.includes(site) ? site : refuse(`the dump has the sites ${names}`);
  const [only, ...others] = sites;
  if (only === undefined) return refuse("the dump has no site");
  return others.length === 0 ? only : refuse(`name one of the dump's sites: ${names}`);
};

/** What an interrupted load of the same part of the same dump is known by; as long as a dump's identifier. */
export const partId = (dumpId: string, { tables, patient }: PartOptions): string =>
  hash("sha256", JSON.stringify([dumpId, tables, patient])).slice(0, 26);
