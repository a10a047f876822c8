import { chmod, cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DumpContext } from "@openemr-ops/dumps/context";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { aClinic, type Clinic, rowsOf } from "../aClinic.ts";
import { contextFor } from "../dumpContext.ts";
import { objectKeys } from "../tampering.ts";
import { type EntryImage, treeImage } from "../treeImage.ts";

export type Format = "restic" | "portable";

/** Everything that no job on the clinic under attack may change, however it is led. */
export interface Bystanders {
  /** A directory of somebody else. Its path is what forged links and archives name. */
  readonly directory: string;
  /** A schema that the clinic's restore user may change: only care or construction protects it. */
  readonly schema: string;
  /** Digests of the directory, the schema, and all of a second clinic: its rows, its tree, its dumps. */
  image(): Promise<unknown>;
}

/** A clinic with two good dumps, and everybody else on the machine. */
export interface World {
  readonly clinic: Clinic;
  readonly bystanders: Bystanders;
  /** A fresh copy of the clinic's destination, tree and state, for one history. */
  open(): Promise<Place>;
  remove(): Promise<void>;
}

/** Where one history of attacks and jobs takes place. */
export interface Place {
  readonly format: Format;
  readonly context: DumpContext;
  readonly repository: string;
  readonly drills: string;
  /** Identifiers of the good dumps, oldest first. */
  readonly good: string[];
  /** The live tree as it is now. */
  tree(): Readonly<Record<string, EntryImage>>;
  /** The live schema's rows and programs. */
  rows(): Promise<Readonly<Record<string, string>>>;
  remove(): Promise<void>;
}

const retention = { keepLast: 2, keepDaily: 0, keepWeekly: 0, keepMonthly: 0, keepYearly: 0 };

const objectsOf = async (repository: string): Promise<Readonly<Record<string, number>>> => {
  const found: Record<string, number> = {};
  for (const key of await objectKeys(repository)) found[key] = (await readFile(join(repository, key))).length;
  return found;
};

const aBystander = async (clinic: Clinic, other: Clinic): Promise<Bystanders> => {
  const directory = join(clinic.directory, "somebody-elses");
  await mkdir(join(directory, "records"), { recursive: true });
  await writeFile(join(directory, "records", "of-1"), "somebody else's");
  await writeFile(join(directory, "notes"), "somebody else's too");
  await chmod(directory, 0o755);
  const schema = `${clinic.schema.name}_somebody_elses`;
  await clinic.schema.query(`CREATE DATABASE \`${schema}\``);
  await clinic.schema.query(`CREATE TABLE \`${schema}\`.records (id INT PRIMARY KEY, note TEXT)`);
  await clinic.schema.query(`INSERT INTO \`${schema}\`.records VALUES (1, 'somebody else''s')`);
  return {
    directory,
    schema,
    image: async () => ({
      directory: treeImage(directory),
      schema: await rowsOf(clinic.schema, schema),
      rows: await rowsOf(clinic.schema, other.schema.name),
      tree: treeImage(other.sitesPath),
      dumps: await objectsOf(join(other.directory, "repository")),
    }),
  };
};

export const aWorld = async (format: Format): Promise<World> => {
  const clinic = await aClinic();
  const other = await aClinic();
  const optionsOf = (directory: string) => ({
    ...clinic,
    directory,
    sitesPath: join(directory, "live", "sites"),
    dumps: { format, retention, ...(format === "portable" ? { compression: "zstd" as const } : {}) },
  });
  const prepared = join(clinic.directory, "prepared");
  await mkdir(join(prepared, "live"), { recursive: true });
  await cp(clinic.sitesPath, join(prepared, "live", "sites"), { recursive: true, verbatimSymlinks: true });
  const begin = await contextFor({ ...other, id: "clinic-b", dumps: { format } });
  await takeDump(begin);
  const days = 24 * 3_600_000;
  const goodDumps: string[] = [];
  for (const age of [3 * days, 2 * days]) {
    const now = () => new Date(Date.now() - age);
    const context = await contextFor({ ...optionsOf(prepared), surroundings: { now } });
    goodDumps.push((await takeDump(context)).dumpId);
  }
  const bystanders = await aBystander(clinic, other);
  let count = 0;
  return {
    clinic,
    bystanders,
    open: async () => {
      const directory = join(clinic.directory, `history-${count++}`);
      await cp(prepared, directory, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
      const options = optionsOf(directory);
      const context = await contextFor(options);
      await chmod(directory, 0o755);
      await chmod(join(directory, "drills"), 0o1777); // a place that everybody shares, as the system's own is
      return {
        format,
        context,
        repository: join(directory, "repository"),
        drills: join(directory, "drills"),
        good: [...goodDumps],
        tree: () => treeImage(options.sitesPath),
        rows: () => rowsOf(clinic.schema, clinic.schema.name),
        remove: () => rm(directory, { recursive: true, force: true }),
      };
    },
    remove: async () => {
      await other.remove();
      await clinic.remove();
    },
  };
};
