import { randomBytes } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { newPassword } from "@openemr-ops/database/users/newPassword";
import { storedFile } from "@openemr-ops/files/storedFile";
import { encrypt } from "@openemr-ops/openemr/crypto";
import { hashPassword, opens } from "@openemr-ops/openemr/passwordHash";
import type { AdminRotation } from "@openemr-ops/rotation/admin/adminRotation";
import { accessOf, type FreshSchema, freshSchema } from "./database.ts";
import { aKeyedSite, type KeyedSite } from "./keyedSite.ts";
import { sharedTables } from "./sharedSchema.ts";

/** The tables that a rotation of a person's password reads and writes, in our own words. */
const columnsOf: Readonly<Record<string, string>> = {
  globals:
    "gl_name VARCHAR(63) NOT NULL, gl_index INT NOT NULL DEFAULT 0, gl_value VARCHAR(255) NOT NULL DEFAULT '', PRIMARY KEY (gl_name, gl_index)",
  groups: "id BIGINT AUTO_INCREMENT PRIMARY KEY, name LONGTEXT, user LONGTEXT",
  keys: "id BIGINT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) NOT NULL UNIQUE, value TEXT",
  users:
    "id BIGINT AUTO_INCREMENT PRIMARY KEY, username VARCHAR(255), password LONGTEXT, active TINYINT(1) NOT NULL DEFAULT 1",
  users_secure: `id BIGINT NOT NULL PRIMARY KEY, username VARCHAR(255), password VARCHAR(255), last_update_password DATETIME,
    last_update TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, password_history1 VARCHAR(255), password_history2 VARCHAR(255),
    password_history3 VARCHAR(255), password_history4 VARCHAR(255), total_login_fail_counter BIGINT DEFAULT 0,
    login_fail_counter INT DEFAULT 0, last_login_fail DATETIME, auto_block_emailed TINYINT DEFAULT 0`,
  login_mfa_registrations: `user_id BIGINT NOT NULL, name VARCHAR(30) NOT NULL, method VARCHAR(31) NOT NULL,
    var1 VARCHAR(4096) NOT NULL DEFAULT '', var2 VARCHAR(256) NOT NULL DEFAULT '', PRIMARY KEY (user_id, name)`,
  log: `id BIGINT AUTO_INCREMENT PRIMARY KEY, date DATETIME, event VARCHAR(255), category VARCHAR(255), user VARCHAR(255),
    groupname VARCHAR(255), comments LONGTEXT, user_notes LONGTEXT, patient_id BIGINT, success TINYINT(1) DEFAULT 1,
    checksum LONGTEXT, crt_user VARCHAR(255), log_from VARCHAR(20), menu_item_id INT, ccda_doc_id INT`,
  log_comment_encrypt: `id INT AUTO_INCREMENT PRIMARY KEY, log_id INT NOT NULL, encrypt ENUM('Yes','No') NOT NULL DEFAULT 'No',
    checksum LONGTEXT, checksum_api LONGTEXT, version TINYINT NOT NULL DEFAULT 0`,
};

const tables = Object.keys(columnsOf);
const ours = Object.entries(columnsOf).map(([name, columns]) => `CREATE TABLE \`${name}\` (${columns})`);
/** OpenEMR's own tables, where they are there. */
export const openEmrTables = sharedTables(tables);

/** Passwords of the user `admin`, the latest first; the first one is what the secret holds, too. */
export const earlierPasswords: readonly string[] = ["First-Canary-1", "Earlier-Canary-2", "Earliest-Canary-3"];

/** An installation with a user whose password is rotated. */
export interface AdminClinic {
  readonly schema: FreshSchema;
  readonly site: KeyedSite;
  /** The secret's file. */
  readonly file: string;
  readonly rotation: AdminRotation;
  readonly warnings: string[];
  /** Every password that was made. */
  readonly made: string[];
  /** Everything as it was: rows and secret. */
  reset(): Promise<void>;
  setting(name: string, value: string): Promise<void>;
  /** All rows of these tables and the secret's files: what a refusal leaves alone. */
  everything(): Promise<unknown>;
  hash(): Promise<string>;
  /** The stored passwords: of the current version, the pending and the previous one. */
  stored(): Promise<{ current?: string; pending?: string; previous?: string }>;
  /** Whether a stored password, current or pending, opens the account. */
  isOpenedByStored(): Promise<boolean>;
  /** A second factor's secret, sealed with the site's drive keys. */
  seal(text: string): string;
  remove(): Promise<void>;
}

/** @param statements make the tables */
export const anAdminClinic = async (statements: readonly string[] = ours): Promise<AdminClinic> => {
  const schema = await freshSchema();
  for (const statement of statements) await schema.query(statement);
  const directory = await mkdtemp(join(tmpdir(), "openemr-ops-admin-"));
  const site = aKeyedSite();
  for (const [path, content] of Object.entries(site.files)) {
    if (content === null || (typeof content === "object" && "link" in content)) continue;
    await mkdir(dirname(join(directory, "sites", path)), { recursive: true });
    await writeFile(join(directory, "sites", path), content);
  }
  const hashes = await Promise.all(earlierPasswords.map((password) => hashPassword(password, 4)));
  const file = join(directory, "secrets/oe-admin.json");
  const warnings: string[] = [];
  const made: string[] = [];

  const insert = async (table: string, row: Readonly<Record<string, unknown>>): Promise<void> => {
    const names = Object.keys(row).map((name) => `\`${name}\``);
    await schema.query(
      `INSERT INTO \`${table}\` (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`,
      Object.values(row),
    );
  };
  for (const name of ["groups", "keys"]) await schema.query(`DELETE FROM \`${name}\``);
  for (const { name, value } of site.made.keysRows) await insert("keys", { name, value });
  for (const user of ["admin", "nurse"]) await insert("groups", { name: "Default", user });
  const reset = async (): Promise<void> => {
    for (const table of ["globals", "login_mfa_registrations", "log", "log_comment_encrypt", "users", "users_secure"])
      await schema.query(`DELETE FROM \`${table}\``);
    await schema.query("INSERT INTO users (id, username, password) VALUES (1, 'admin', '-'), (2, 'nurse', '-')");
    const [password, password_history1, password_history2] = hashes;
    await insert("users_secure", {
      ...{ id: 1, username: "admin", password, password_history1, password_history2, login_fail_counter: 21 },
      ...{ total_login_fail_counter: 30, last_login_fail: "2026-01-02 03:04:05", auto_block_emailed: 1 },
      last_update_password: "2025-01-01 00:00:00",
    });
    await insert("users_secure", { id: 2, username: "nurse", password: hashes[1] });
    await schema.query(
      "INSERT INTO globals (gl_name, gl_value) VALUES ('gbl_auth_bcrypt_hash_cost', '4'), ('gbl_time_zone', 'America/New_York')",
    );
    await rm(dirname(file), { recursive: true, force: true });
    await mkdir(dirname(file));
    await writeFile(file, JSON.stringify({ username: "admin", password: earlierPasswords[0], note: "kept" }));
    await chmod(file, 0o600);
    warnings.length = 0;
    made.length = 0;
  };
  const hash = async () => String((await schema.query("SELECT password FROM users_secure WHERE id = 1"))[0]?.password);
  const passwordIn = async (path: string): Promise<string | undefined> => {
    const text = await readFile(path, "utf8").catch(() => undefined);
    return text === undefined ? undefined : (JSON.parse(text) as { password?: string }).password;
  };
  const stored = async () => {
    const [current, pending, previous] = await Promise.all(
      [file, `${file}.pending`, `${file}.previous`].map(passwordIn),
    );
    return {
      ...(current === undefined ? {} : { current }),
      ...(pending === undefined ? {} : { pending }),
      ...(previous === undefined ? {} : { previous }),
    };
  };
  await reset();
  const { user, password } = schema;
  return {
    schema,
    site,
    file,
    warnings,
    made,
    rotation: {
      secret: storedFile({ path: file, field: "rotations.admin.secret" }),
      database: accessOf(schema, { user, password }),
      sitesPath: join(directory, "sites"),
      site: "default",
      user: "admin",
      newPassword: () => {
        const one = newPassword();
        made.push(one);
        return one;
      },
      progress: () => {},
      warn: (message) => warnings.push(message),
      signal: new AbortController().signal,
      now: () => new Date("2026-07-04T05:06:07Z"),
    },
    reset,
    setting: async (gl_name, gl_value) => {
      await schema.query("DELETE FROM globals WHERE gl_name = ?", [gl_name]);
      await insert("globals", { gl_name, gl_value });
    },
    everything: async () => ({
      rows: await Promise.all(tables.map((table) => schema.query(`SELECT * FROM \`${table}\``))),
      files: await Promise.all(
        (await readdir(dirname(file))).map(async (one) => [one, await readFile(join(dirname(file), one), "utf8")]),
      ),
    }),
    hash,
    stored,
    isOpenedByStored: async () => {
      const { current, pending } = await stored();
      const now = await hash();
      for (const one of [current, pending]) if (one !== undefined && (await opens(one, now)) === true) return true;
      return false;
    },
    seal: (text) => encrypt(Buffer.from(text), { version: 7, keys: site.made.keys.drive, iv: randomBytes(16) }),
    remove: async () => {
      await schema.drop();
      await rm(directory, { recursive: true, force: true });
    },
  };
};
