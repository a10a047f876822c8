import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";

/** A file's content, `null` for an empty directory, or where a link leads. */
export type TreeEntry = string | Buffer | null | { readonly link: string };

/** A text as PHP reads it between single quotes. */
const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

/** A `sqlconf.php` in our own words. */
export const aSqlconf = ({
  host = "127.0.0.1",
  port = 3306,
  user = "app",
  password = "app password",
  database = "openemr",
  configured = true,
} = {}): string =>
  `<?php
// connection of this site
$host = ${quoted(host)}; $port = '${port}'; $login = ${quoted(user)}; $pass = ${quoted(password)};
$dbase = ${quoted(database)};
$sqlconf = array(); global $sqlconf;
$sqlconf['host'] = $host; $sqlconf['port'] = $port; $sqlconf['login'] = $login;
$sqlconf['pass'] = $pass; $sqlconf['dbase'] = $dbase;
$config = ${configured ? 1 : 0};
`;

/** A directory with these entries, by path; removed when the test ends. */
export const aTree = async (entries: Readonly<Record<string, TreeEntry>>): Promise<string> => {
  const root = await mkdtemp(join(tmpdir(), "openemr-ops-tree-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  for (const [path, entry] of Object.entries(entries)) {
    await mkdir(join(root, entry === null ? path : dirname(path)), { recursive: true });
    if (entry === null) continue;
    if (typeof entry === "object" && "link" in entry) await symlink(entry.link, join(root, path));
    else await writeFile(join(root, path), entry);
  }
  return root;
};

/** The least that is a sites directory: one site whose rows are in `database`. */
export const aSite = async (root: string, database?: string): Promise<void> => {
  const methods = join(root, "default/documents/logs_and_misc/methods");
  for (const directory of [methods, join(root, "default/documents/certificates")])
    await mkdir(directory, { recursive: true });
  await writeFile(join(root, "default/sqlconf.php"), aSqlconf(database === undefined ? {} : { database }));
};
