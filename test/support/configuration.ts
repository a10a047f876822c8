import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConfigFile } from "@openemr-ops/core/config/schema";

export type WrittenInstallation = ConfigFile["installations"][number];

type InstallationWithDumps = WrittenInstallation & { dumps: NonNullable<WrittenInstallation["dumps"]> };

/** An installation as an operator would write it, all in order. Files are those of `aConfigDirectory`. */
export const anInstallation = (changes: Partial<InstallationWithDumps> = {}): InstallationWithDumps => ({
  id: "clinic-a",
  platform: { kind: "host" },
  database: {
    host: "127.0.0.1",
    port: 3306,
    name: "openemr",
    user: "dump",
    passwordFile: "db.password",
    tls: "off",
  },
  sites: { path: "/srv/openemr/sites" },
  dumps: {
    format: "restic",
    destination: "file:///srv/backups/clinic-a",
    passwordFile: "repo.password",
    retention: { keepDaily: 7, keepWeekly: 5, keepMonthly: 12, keepYearly: 7 },
  },
  ...changes,
});

export const aConfig = (...installations: readonly WrittenInstallation[]): ConfigFile => ({
  installations: installations.length > 0 ? [...installations] : [anInstallation()],
});

/** Passwords that no message may show. */
export const databasePassword = "canary-database-5c1f";
export const repositoryPassword = "canary-repository-90ab";

export interface ConfigDirectory extends AsyncDisposable {
  readonly path: string;
  /** Writes `c.json` and returns its name. */
  write(config: unknown): Promise<string>;
}

/** A directory with both password files, removed at the end of its scope. */
export const aConfigDirectory = async (): Promise<ConfigDirectory> => {
  const path = await mkdtemp(join(tmpdir(), "openemr-ops-config-"));
  await writeFile(join(path, "db.password"), `${databasePassword}\n`, { mode: 0o600 });
  await writeFile(join(path, "repo.password"), repositoryPassword, { mode: 0o600 });
  await mkdir(join(path, "directory"));
  return {
    path,
    write: async (config) => {
      const file = join(path, "c.json");
      await writeFile(file, typeof config === "string" ? config : JSON.stringify(config));
      return file;
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
};

/** Every name below a directory with its kind, mode, times and content: equal before and after means that nothing was touched. */
export const snapshotOf = async (directory: string): Promise<readonly string[]> => {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const lines = entries.map(async (entry) => {
    const path = join(entry.parentPath, entry.name);
    if (entry.isSymbolicLink()) return `${path} -> ${await readlink(path)}`;
    const { mode, mtimeMs, size } = await stat(path);
    return `${path} ${mode.toString(8)} ${mtimeMs} ${size} ${entry.isFile() ? await readFile(path, "hex") : ""}`;
  });
  const { mtimeMs } = await stat(directory);
  return [`. ${mtimeMs}`, ...(await Promise.all(lines)).sort()];
};
