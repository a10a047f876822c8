import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { zstdDecompressSync } from "node:zlib";
import { findSystemTool } from "@openemr-ops/local/tools/findTool";
import type { FreshSchema } from "./database.ts";

const directory = fileURLToPath(new URL("../../../shared/openemr/", import.meta.url));
const names = ["database.sql.zst", "optional_tables.sql.zst", "example_patient_data.sql.zst"];

/**
 * SQL files of OpenEMR's own schema, in the order in which they load, as far as they are there. They are not part of this project (OpenEMR is GPL)
 * and may lie beside it, in `../shared/openemr`; without them there are none, and our own schemas cover the same promises.
 */
export const sharedSchema = (): readonly string[] => names.filter((name) => existsSync(directory + name));

/** Loads files of `sharedSchema` with MariaDB's own client; tables that two of them make are made once. */
export const loadSharedSchema = (schema: FreshSchema, files: readonly string[]): void => {
  for (const file of files) {
    const { stderr } = spawnSync(
      findSystemTool("mariadb") ?? "mariadb",
      [
        "--no-defaults",
        "--force",
        `--socket=${schema.socket}`,
        `--user=${schema.user}`,
        "--default-character-set=utf8mb4",
        schema.name,
      ],
      {
        input: Buffer.concat([Buffer.from("SET sql_mode = '';\n"), zstdDecompressSync(readFileSync(directory + file))]),
        env: { MYSQL_PWD: schema.password },
        encoding: "utf8",
      },
    );
    const others = stderr.split("\n").filter((line) => line.startsWith("ERROR ") && !line.startsWith("ERROR 1050 "));
    if (others.length > 0) throw new Error(`${file} could not be loaded: ${others[0]}`);
  }
};

/** The statements that make some of OpenEMR's own tables; `undefined` without its schema. */
export const sharedTables = (tables: readonly string[]): readonly string[] | undefined => {
  const [file] = sharedSchema();
  if (file !== "database.sql.zst") return undefined;
  const sql = zstdDecompressSync(readFileSync(directory + file)).toString();
  return tables.map((table) => {
    const [statement] = new RegExp(`^CREATE TABLE \`?${table}\`? \\([\\s\\S]*?^\\)[^;]*;`, "m").exec(sql) ?? [];
    if (statement === undefined) throw new Error(`${file} has no table ${table}`);
    return statement;
  });
};
