import { hash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { TargetNotEmptyError, TargetUnsuitableError } from "@openemr-ops/core/errors";
import { ulidPattern } from "@openemr-ops/core/ids";
import { connect, type DatabaseConnection } from "@openemr-ops/database/connection";
import { quoteName } from "@openemr-ops/database/identifiers";
import { withSchemaRight } from "@openemr-ops/database/replaceable";
import type { DirectoryIdentity } from "@openemr-ops/files/directory";
import { readState } from "@openemr-ops/files/stateFiles";
import * as z from "zod";
import type { DumpContext } from "../context.ts";
import type { TreeListing } from "../store/treeListing.ts";
import type { ReplacedSites } from "./sitesInPlace.ts";
import type { Verdict } from "./verdict.ts";
import type { WholeRows } from "./wholeRows.ts";

export const phases = ["begun", "loaded", "proven", "database", "programs", "sites-out", "sites-in", "done"] as const;
export type Phase = (typeof phases)[number];

/** How far a restore in place came. */
export interface Progress {
  readonly restoreId: string;
  readonly dumpId: string;
  readonly phase: Phase;
  readonly safetyDumpId?: string | undefined;
  /** As the first call set it; another call cannot change it. */
  readonly sites?: ReplacedSites | undefined;
  readonly seconds?: Verdict["seconds"];
  readonly dropped?: Verdict["dropped"];
  /** Of tables that the manifest does not cover whole. */
  readonly wholeRows?: readonly WholeRows[];
  /** What the stored tree holds, until it was compared. */
  readonly listed?: TreeListing | undefined;
  readonly notRestored?: Verdict["notRestored"];
  /** Directories that this restore made. They are never taken over by their names. */
  readonly staging?: DirectoryIdentity;
  readonly before?: DirectoryIdentity;
}

/** What decides how a restore goes on; the rest is only reported. */
const decisive = z.looseObject({
  restoreId: z.string().regex(ulidPattern),
  dumpId: z.string().regex(ulidPattern),
  phase: z.enum(phases),
});

/**
 * Keeps how far a restore in place came, so that the same job goes on from there: on the database server, in a schema of its
 * own. It is there for whoever takes the job up, also when the container that began it is gone with its disk.
 */
export interface ProgressKeeper {
  /** Name of the schema. */
  readonly schema: string;
  /** @throws {TargetNotEmptyError} refused: what is there is none of ours */
  read(): Promise<Progress | undefined>;
  save(progress: Progress): Promise<void>;
  /** The programs that the restore is to make once the tables are in place. */
  savePrograms(sql: Buffer): Promise<void>;
  /** @param longest bytes that they may have */
  readPrograms(longest: number): Promise<Buffer>;
  /** Forgets all of it. Safe to repeat. */
  remove(): Promise<void>;
}

/** Bytes in a row: well below any server's `max_allowed_packet`, in hexadecimal too. */
const pieceBytes = 256 * 1024;
const ourTables = ["progress", "programs"];

export const progressOf = (context: DumpContext): ProgressKeeper => {
  const schema = `${context.database.name.slice(0, 40)}_restore_state_${hash("sha256", context.installation).slice(0, 8)}`;
  const name = quoteName(schema);
  // Earlier releases kept it here.
  const stateFile = join(context.stateDirectory, "restores", `${context.installation}.json`);
  const programsFile = join(context.stateDirectory, "restores", `${context.installation}.programs.sql`);
  const open = () => connect(context.restoreDatabase, "information_schema");

  const tablesIn = async (control: DatabaseConnection): Promise<readonly string[]> =>
    (
      await control.rows("SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?", [schema])
    ).map((row) => row.name ?? "");

  const foreign = () =>
    new TargetNotEmptyError(
      `schema ${schema} holds something else than how far a restore in place came: look what it is, and move it or drop the schema yourself`,
    );

  const understood = (text: string): Progress => {
    try {
      return decisive.parse(JSON.parse(text)) as unknown as Progress;
    } catch {
      throw foreign();
    }
  };

  const makeSchema = (control: DatabaseConnection): Promise<void> =>
    withSchemaRight(control, schema, () => control.run(`CREATE DATABASE IF NOT EXISTS ${name}`));

  return {
    schema,
    read: async () => {
      await using control = await open();
      const tables = await tablesIn(control);
      if (tables.some((table) => !ourTables.includes(table))) throw foreign();
      const [row] = tables.includes("progress")
        ? await control.rows(`SELECT state FROM ${name}.progress ORDER BY id DESC LIMIT 1`)
        : [];
      const text = row?.state ?? (await readState(stateFile))?.toString();
      return text === undefined ? undefined : understood(text);
    },
    save: async (progress) => {
      await using control = await open();
      await makeSchema(control);
      await control.run(
        `CREATE TABLE IF NOT EXISTS ${name}.progress (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, state LONGTEXT CHARACTER SET utf8mb4 NOT NULL) ENGINE=InnoDB`,
      );
      await control.run(`INSERT INTO ${name}.progress (state) VALUES (?)`, [JSON.stringify(progress)]);
    },
    savePrograms: async (sql) => {
      await using control = await open();
      await makeSchema(control);
      await control.run(`DROP TABLE IF EXISTS ${name}.programs`);
      await control.run(
        `CREATE TABLE ${name}.programs (piece INT NOT NULL PRIMARY KEY, bytes LONGBLOB NOT NULL) ENGINE=InnoDB`,
      );
      await control.run("START TRANSACTION");
      // One piece at least: no programs are programs too.
      for (let piece = 0; piece === 0 || piece * pieceBytes < sql.length; piece++)
        await control.run(`INSERT INTO ${name}.programs VALUES (?, UNHEX(?))`, [
          piece,
          sql.subarray(piece * pieceBytes, (piece + 1) * pieceBytes).toString("hex"),
        ]);
      await control.run("COMMIT");
    },
    readPrograms: async (longest) => {
      await using control = await open();
      const kept = (await tablesIn(control)).includes("programs");
      const pieces = kept ? await control.rows(`SELECT HEX(bytes) AS bytes FROM ${name}.programs ORDER BY piece`) : [];
      if (pieces.length > 0) return Buffer.concat(pieces.map(({ bytes }) => Buffer.from(bytes ?? "", "hex")));
      const earlier = await readState(programsFile, longest);
      if (earlier) return earlier;
      throw new TargetUnsuitableError(
        `the programs that this restore is to make are gone from schema ${schema}: put the schema back`,
      );
    },
    remove: async () => {
      await using control = await open();
      if ((await tablesIn(control)).some((table) => !ourTables.includes(table))) throw foreign();
      await withSchemaRight(control, schema, () => control.run(`DROP DATABASE IF EXISTS ${name}`));
      await rm(programsFile, { force: true });
      await rm(stateFile, { force: true });
    },
  };
};
