import { createHash } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sqlName, sqlString } from "@openemr-ops/local/servers/databaseServer";
import type { RotatedInstallation } from "./aRotation.ts";
import type { SchemaUser } from "./database.ts";

/** All that a rotation changes: files by path, and the statements that make the users anew. MariaDB's. */
export interface World {
  readonly files: Readonly<Record<string, string | undefined>>;
  readonly users: readonly { readonly user: string; readonly statements: readonly string[] }[];
}

const filesOf = ({ sitesPath, slotsPath }: RotatedInstallation, sites: readonly string[]): readonly string[] => [
  ...sites.map((site) => join(sitesPath, site, "sqlconf.php")),
  ...["", ".pending"].map((end) => `${slotsPath}${end}`),
];

export const lookAtWorld = async (hospital: RotatedInstallation, sites: readonly string[]): Promise<World> => {
  const files: Record<string, string | undefined> = {};
  for (const path of filesOf(hospital, sites)) files[path] = await readFile(path, "latin1").catch(() => undefined);
  const found = await hospital.root(
    `SELECT User AS user FROM mysql.user WHERE User LIKE ${sqlString(`${hospital.schema.name}app%`)} ORDER BY User`,
  );
  const users: { user: string; statements: string[] }[] = [];
  for (const { user: name } of found) {
    const user = String(name);
    const texts = async (sql: string) => (await hospital.root(sql)).map((row) => String(Object.values(row)[0]));
    const account = `${sqlName(user)}@'%'`;
    const grants = await texts(`SHOW GRANTS FOR ${account}`);
    users.push({
      user,
      statements: [
        ...(await texts(`SHOW CREATE USER ${account}`)),
        ...grants.filter((line) => !line.startsWith("GRANT USAGE")).sort(),
      ],
    });
  }
  return { files, users };
};

export const makeWorld = async (hospital: RotatedInstallation, { files, users }: World): Promise<void> => {
  for (const { user } of await hospital.root(
    `SELECT User AS user FROM mysql.user WHERE User LIKE ${sqlString(`${hospital.schema.name}app%`)}`,
  ))
    await hospital.root(`DROP USER ${sqlName(String(user))}@'%'`);
  for (const { statements } of users) for (const statement of statements) await hospital.root(statement);
  for (const [path, content] of Object.entries(files))
    if (content === undefined) await rm(path, { force: true });
    else await writeFile(path, content, { encoding: "latin1", mode: 0o600 });
};

const hashOf = (password: string): string =>
  createHash("sha1").update(createHash("sha1").update(password, "utf8").digest()).digest("hex").toUpperCase();

/** Equal for worlds that differ in nothing but which random passwords were drawn. */
export const shapeOf = (
  { files, users }: World,
  named: readonly SchemaUser[],
  texts: readonly unknown[],
  origin: SchemaUser,
): string => {
  const passwords: string[] = [];
  const numberOf = (password: string): string => {
    if (!passwords.includes(password)) passwords.push(password);
    return `#${passwords.indexOf(password)}`;
  };
  const shown = JSON.stringify([origin, named, texts], (key, value) =>
    key === "password" ? numberOf(String(value)) : value,
  );
  const secret = Object.entries(files).map(([path, content]) => `${path.replace(/.*\//, "")}:${content !== undefined}`);
  const accounts = users.map(({ user, statements }) => {
    const text = statements.join(";");
    const known = passwords.findIndex((password) => text.includes(hashOf(password)));
    return `${user} ${known} ${text.replace(/'\*[0-9A-F]{40}'/g, "?")}`;
  });
  return [shown, ...secret, ...accounts].join("\n");
};
