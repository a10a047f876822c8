import { mkdir, readFile, realpath, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aClinic, type Clinic } from "../../support/aClinic.ts";
import { configurationFor } from "../../support/dumpContext.ts";
import { traced } from "../../support/harm/traced.ts";

/** Rows of the table in docs/security.md, `yes` or `no` for each job. */
const readTable = async (): Promise<readonly Readonly<Record<string, string>>[]> => {
  const page = await readFile(join(repositoryRoot, "docs/security.md"), "utf8");
  const [heading, , ...rows] = page.split("\n").filter((line) => line.startsWith("|"));
  const cells = (line = ""): readonly string[] =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
  const names = cells(heading);
  return rows.map((row) => Object.fromEntries(cells(row).map((cell, index) => [names[index] ?? "", cell])));
};

/** What MariaDB's script, which makes the directory of a server, is written with. */
const ofTheScript = [
  "basename",
  "cat",
  "chmod",
  "chown",
  "dirname",
  "mkdir",
  "my_print_defaults",
  "rm",
  "sed",
  "uname",
];

const ownServerToo = "on a server of its own";

const isBelow = (path: string, directory: string): boolean => path === directory || path.startsWith(`${directory}/`);

describe.each(["restic", "portable"] as const)("what a job writes (%s)", (format) => {
  let clinic: Clinic;
  let directory: string;
  let configuration: string;
  let ownServer: string;
  let environment: Readonly<Record<string, string>>;
  beforeAll(async () => {
    clinic = await aClinic();
    directory = await realpath(clinic.directory);
    const written = configurationFor({ ...clinic, dumps: { format } });
    configuration = join(directory, "c.json");
    await writeFile(configuration, JSON.stringify(written.config));
    const drill = { directory: join(directory, "drills"), database: "own" } as const;
    ownServer = join(directory, "own.json");
    await writeFile(ownServer, JSON.stringify(configurationFor({ ...clinic, dumps: { format, drill } }).config));
    for (const name of ["drills", "tmp", "beside"]) await mkdir(join(directory, name));
    environment = { ...written.environment, TMPDIR: join(directory, "tmp") };
  });
  afterAll(() => clinic.remove());

  /** What the names in the table stand for here, as tests of a path. */
  const places: Readonly<Record<string, (path: string) => boolean>> = {
    "`dumps.destination`": (path) => isBelow(path, join(directory, "repository")),
    "`stateDirectory`": (path) => isBelow(path, join(directory, "state")),
    "`TMPDIR`": (path) => isBelow(path, join(directory, "tmp")),
    "`node_modules/.cache/openemr-ops`": (path) =>
      isBelow(path, join(repositoryRoot, "node_modules/.cache/openemr-ops")) ||
      path === join(repositoryRoot, "node_modules/.cache"),
    "`dumps.drill.directory/.openemr-ops-*`": (path) => path.startsWith(join(directory, "drills", ".openemr-ops-")),
    "`--into-sites`": (path) => isBelow(path, join(directory, "beside", "sites")),
    "beside `--into-sites`: `.openemr-ops-*`": (path) => path.startsWith(join(directory, "beside", ".openemr-ops-")),
  };

  it.each<{ job: string; how: string; more: () => string[] }>([
    { job: "dump", how: "on the live server", more: () => [] },
    { job: "drill", how: "on the live server", more: () => [] },
    { job: "drill", how: ownServerToo, more: () => [] },
    {
      job: "restore",
      how: "on the live server",
      more: () => [
        ...["--dump", "latest", "--into-database", `${clinic.schema.name}_beside`],
        ...["--into-sites", join(directory, "beside", "sites"), "--for", "compose"],
      ],
    },
  ])(
    "is below the directories that docs/security.md lists for it: $job, $how",
    { timeout: 120_000 },
    async ({ job, more, how }) => {
      const trace = join(directory, `${job}.strace`);
      const run = await traced([job, ...more()], {
        configuration: how === ownServerToo ? ownServer : configuration,
        environment,
        trace,
      });
      expect(run.exitCode, run.stderr).toBe(0);

      const table = await readTable();
      expect(table.map(({ below }) => below)).toEqual(Object.keys(places));
      const allowed = table.filter((row) => row[job] === "yes").map(({ below = "" }) => places[below]);
      const others = run.changed.filter((path) => path !== "/dev/null" && !allowed.some((holds) => holds?.(path)));
      expect(others).toEqual([]);
      // A trace that saw nothing would prove nothing.
      expect(run.changed.some((path) => isBelow(path, join(directory, "state")))).toBe(true);
      const programs = [
        ...["mariadb", "mariadb-dump", "node", "restic", "tar"],
        ...(how === ownServerToo ? ["mariadb-install-db", "mariadbd", "setpriv", "sh", ...ofTheScript] : []),
      ];
      expect(run.started.map((path) => basename(path)).filter((name) => !programs.includes(name))).toEqual([]);
      expect(dirname(run.started.find((path) => basename(path) === "node") ?? "")).toBe(dirname(process.execPath));
    },
  );
});
