import { randomBytes } from "node:crypto";
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { ServerAddress } from "@openemr-ops/local/servers/databaseServer";
import type { MailSettings } from "@openemr-ops/mail/settings/mailSettings";
import { siteMailSettings } from "@openemr-ops/mail/settings/siteMailSettings";
import { encrypt, type WritableKeyVersion } from "@openemr-ops/openemr/crypto";
import { type FreshSchema, freshSchema } from "./database.ts";
import { aKeyedSite, driveKeyPath, type KeyedSite } from "./keyedSite.ts";
import { sharedTables } from "./sharedSchema.ts";

/** The tables that mail settings are read from and written to, in our own words. */
const ours: Readonly<Record<string, string>> = {
  globals:
    "gl_name VARCHAR(63) NOT NULL, gl_index INT NOT NULL DEFAULT 0, gl_value VARCHAR(255) NOT NULL DEFAULT '', PRIMARY KEY (gl_name, gl_index)",
  keys: "id BIGINT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) NOT NULL UNIQUE, value TEXT",
  version:
    "v_major INT NOT NULL DEFAULT 0, v_minor INT NOT NULL DEFAULT 0, v_patch INT NOT NULL DEFAULT 0, v_realpatch INT NOT NULL DEFAULT 0, v_tag VARCHAR(31) NOT NULL DEFAULT '', v_database INT NOT NULL DEFAULT 0, v_acl INT NOT NULL DEFAULT 0",
  email_queue: `id BIGINT AUTO_INCREMENT PRIMARY KEY, sender VARCHAR(255), recipient VARCHAR(255), subject VARCHAR(255), body TEXT,
    datetime_queued DATETIME, sent TINYINT DEFAULT 0, datetime_sent DATETIME, error TINYINT DEFAULT 0, error_message TEXT,
    datetime_error DATETIME`,
};
const tables = Object.keys(ours);

/** The statements that make these tables: our own, and OpenEMR's where they are there. */
export const mailTables: readonly { readonly whose: string; readonly statements: readonly string[] }[] = [
  {
    whose: "tables of our own",
    statements: Object.entries(ours).map(([name, columns]) => `CREATE TABLE \`${name}\` (${columns})`),
  },
  ...[sharedTables(tables)].flatMap((statements) =>
    statements ? [{ whose: "OpenEMR's own tables", statements }] : [],
  ),
];

/** A login with which the clinic sends, until a test replaces it. */
export const firstLogin = { user: "AKIAFIRSTCANARY00001", password: "BFirst+Canary/0" } as const;

/** A site of OpenEMR that sends mail by SMTP. */
export interface MailSite {
  readonly schema: FreshSchema;
  readonly site: KeyedSite;
  readonly sitesPath: string;
  readonly settings: MailSettings;
  /** Rows and key files as they were, of a site with key pairs of these versions and of this release. */
  reset(options?: { versions?: readonly WritableKeyVersion[]; release?: string }): Promise<void>;
  query: FreshSchema["query"];
  setting(name: string, value: string | undefined): Promise<void>;
  stored(name: string): Promise<string | undefined>;
  seal(text: string, version?: WritableKeyVersion): string;
  /** Files of the drive keys, by name. */
  readonly methods: string;
  /** All rows and all key files: what a refusal leaves alone. */
  everything(): Promise<unknown>;
  remove(): Promise<void>;
}

const literal = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

export const aMailSite = async (
  statements: readonly string[] = mailTables[0]?.statements ?? [],
  address?: ServerAddress,
): Promise<MailSite> => {
  const schema = await freshSchema(address);
  for (const statement of statements) await schema.query(statement);
  const directory = await mkdtemp(join(tmpdir(), "openemr-ops-mail-"));
  const sitesPath = join(directory, "sites");
  const methods = join(sitesPath, dirname(driveKeyPath("x")));
  let site = aKeyedSite();
  const query: FreshSchema["query"] = (sql, values) => schema.query(sql, values);

  const setting = async (name: string, value: string | undefined): Promise<void> => {
    await query("DELETE FROM globals WHERE gl_name = ?", [name]);
    if (value !== undefined) await query("INSERT INTO globals (gl_name, gl_value) VALUES (?, ?)", [name, value]);
  };
  const seal = (text: string, version = newestOf(site)) =>
    encrypt(Buffer.from(text), { version, keys: site.made.keys.drive, iv: randomBytes(16) });

  const reset = async ({
    versions = [7],
    release = "8.1.0",
  }: {
    versions?: readonly WritableKeyVersion[];
    release?: string;
  } = {}): Promise<void> => {
    site = aKeyedSite({ versions, oauth: false });
    await rm(sitesPath, { recursive: true, force: true });
    for (const [path, content] of Object.entries(site.made.driveFiles)) {
      const file = join(methods, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    }
    const { restoreUser, host, port, name, caFile } = schema;
    const texts = { host, login: restoreUser.user, pass: restoreUser.password, dbase: name };
    const lines = Object.entries(texts).map(([field, text]) => `$sqlconf['${field}'] = ${literal(text)};`);
    await writeFile(
      join(sitesPath, "default/sqlconf.php"),
      `<?php\n$sqlconf = array(); global $sqlconf;\n${lines.join("\n")}\n$sqlconf['port'] = '${port}';\n$config = 1;\n`,
    );
    await chmod(join(sitesPath, "default/sqlconf.php"), 0o600);
    const certificates = join(sitesPath, "default/documents/certificates");
    await mkdir(certificates, { recursive: true });
    if (caFile) await cp(caFile, join(certificates, "mysql-ca"));

    for (const table of tables) await query(`DELETE FROM \`${table}\``);
    for (const key of site.made.keysRows)
      await query("INSERT INTO `keys` (name, value) VALUES (?, ?)", [key.name, key.value]);
    const [numbers = "", tag] = release.split("-");
    await query("INSERT INTO version (v_major, v_minor, v_patch, v_tag) VALUES (?, ?, ?, ?)", [
      ...numbers.split(".").map(Number),
      tag ? `-${tag}` : "",
    ]);
    await setting("EMAIL_METHOD", "SMTP");
    await setting("SMTP_HOST", "email-smtp.eu-central-1.amazonaws.com");
    await setting("SMTP_PORT", "587");
    await setting("SMTP_SECURE", "tls");
    await setting("SMTP_USER", firstLogin.user);
    await setting("SMTP_PASS", seal(firstLogin.password));
    await setting("openemr_name", "007 Clinic");
  };
  await reset();
  return {
    schema,
    get site() {
      return site;
    },
    sitesPath,
    methods,
    settings: siteMailSettings({ sitesPath, site: "default", newIv: () => randomBytes(16) }),
    reset,
    query,
    setting,
    seal,
    stored: async (name) => {
      const [row] = await query("SELECT gl_value AS value FROM globals WHERE gl_name = ? AND gl_index = 0", [name]);
      return row === undefined ? undefined : String(row.value);
    },
    everything: async () => ({
      rows: await Promise.all(tables.map((table) => query(`SELECT * FROM \`${table}\` ORDER BY 1, 2, 3`))),
      files: await Promise.all(
        (await readdir(methods).catch(() => []))
          .sort()
          .map(async (one) => [one, await readFile(join(methods, one), "utf8")]),
      ),
    }),
    remove: async () => {
      await schema.drop();
      await rm(directory, { recursive: true, force: true });
    },
  };
};

const newestOf = ({ made }: KeyedSite): WritableKeyVersion => {
  const words = ["seven", "six", "five", "four"] as const;
  const found = words.findIndex((word) => `${word}a` in made.driveFiles);
  return (7 - found) as WritableKeyVersion;
};
