import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { sqlName, sqlString } from "@openemr-ops/local/servers/databaseServer";
import { aClinic, type Clinic } from "./aClinic.ts";
import { startReal } from "./realCommandLine.ts";
import { aSqlconf } from "./sitesTree.ts";

/** A machine with an OpenEMR that works, where nothing of ours is set up yet. */
export interface Machine {
  readonly clinic: Clinic;
  /** Where everything of ours goes. */
  readonly place: (path: string) => string;
  /** The login of the database's administrator. */
  readonly environment: Readonly<Record<string, string>>;
  /** Options that keep `init` to this machine, but for those given here. */
  options(changes?: Readonly<Record<string, string>>): readonly string[];
  /** The users that `init` makes. */
  readonly users: readonly string[];
  /** Starts `openemr-ops <args>`. @param preload a module to load before the program */
  run(
    args: readonly string[],
    more?: { readonly environment?: Readonly<Record<string, string>>; readonly preload?: string },
  ): ReturnType<typeof startReal>["ended"];
  /** Takes away what an earlier `init` made. */
  clear(): Promise<void>;
  remove(): Promise<void>;
}

/** Kinds of users, whose names begin with the schema's. */
const roles = ["dump", "restore", "drill"];

export const aMachine = async (): Promise<Machine> => {
  const clinic = await aClinic({ programs: false });
  const { schema, sitesPath, directory } = clinic;
  const { name, host, port } = schema;
  const users = roles.map((role) => `${name}_${role}`);
  const openEmr = { user: `${name}_app`, password: `it's "odd" \\ é` };
  const account = `${sqlName(openEmr.user)}@'%'`;
  await schema.query(`CREATE USER ${account} IDENTIFIED BY ${sqlString(openEmr.password)}`);
  await schema.query(`GRANT ALL PRIVILEGES ON ${sqlName(name)}.* TO ${account}`);
  await writeFile(join(sitesPath, "default/sqlconf.php"), aSqlconf({ ...openEmr, host, port, database: name }));
  const place = (path: string) => join(directory, "machine", path);
  const environment = { ADMINISTRATOR_PASSWORD: schema.password };
  const clear = async () => {
    for (const user of users) await schema.query(`DROP USER IF EXISTS ${sqlName(user)}@'%'`);
    await rm(place(""), { recursive: true, force: true });
    await mkdir(place(""));
  };
  await clear();
  return {
    clinic,
    place,
    environment,
    users,
    options: (changes = {}) =>
      Object.entries({
        "--sites": sitesPath,
        "--directory": place("etc"),
        "--destination": `file://${place("backups")}`,
        "--state": place("state"),
        "--installation": "clinic-a",
        ...changes,
      }).flat(),
    run: (args, { environment: own = {}, preload } = {}) =>
      startReal(args, { ...environment, ...own, ...(preload ? { NODE_OPTIONS: `--import ${preload}` } : {}) }).ended,
    clear,
    remove: async () => {
      await clear();
      await schema.query(`DROP USER ${account}`);
      // What takes the clinic away expects the users that it came with.
      for (const user of [schema.dumpUser.user, schema.restoreUser.user])
        await schema.query(`CREATE USER ${sqlName(user)}@'%'`);
      await clinic.remove();
    },
  };
};

/** Every file below a directory with its mode and content, and every directory with its mode. */
export const everythingBelow = async (root: string): Promise<Readonly<Record<string, string>>> => {
  const found: Record<string, string> = {};
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const { mode, ino } = await stat(path);
    const content = entry.isFile() ? ` ${ino} ${await readFile(path, "utf8")}` : "";
    found[relative(root, path)] = `${(mode & 0o777).toString(8)}${content}`;
  }
  return found;
};
