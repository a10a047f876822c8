import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { buildEstate, type Estate } from "@openemr-ops/local/estate/buildEstate";
import { type MariaDb, startMariaDb } from "@openemr-ops/local/servers/mariadb";
import { repositoryRoot, toolDirectories } from "@openemr-ops/local/tools/findTool";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { analyticsPython } from "../support/analyticsPython.ts";
import { type DocumentedBlock, documentedBlocks } from "../support/documentedBlocks.ts";

/** Pages in the order in which a reader meets them: each one goes on where the one before ended. */
const pages = [
  "docs/configuration.md",
  "README.md",
  "docs/running.md",
  "docs/monitoring.md",
  "docs/dumps.md",
  "docs/exports.md",
  "docs/restore.md",
].map((name) => {
  const page = readFileSync(join(repositoryRoot, name), "utf8");
  return { name, page, blocks: documentedBlocks(page) };
});

/** A machine of its own in a directory: the pages' absolute paths, a server, a home with its administrator's login. */
let machine: string;
let server: MariaDb;
let estate: Estate;

const below = (path: string): string => join(machine, path);

/** Where a checkout has the command `openemr-ops`. */
const launcher = join(repositoryRoot, "packages/cli/bin");

/** The page's words with this machine's places in them. */
const here = (words: string): string =>
  words
    .replaceAll("/opt/openemr-ops", repositoryRoot)
    .replaceAll(/(?<![\w.])\/(srv|etc|var|mnt)\//g, `${machine}/$1/`)
    .replaceAll('"port": 3306', `"port": ${server.port}`);

const programs = [dirname(process.execPath), ...toolDirectories(process.env)];

const run = async (command: string, args: readonly string[], input: string): Promise<void> => {
  const child = spawn(command, args, {
    cwd: repositoryRoot,
    env: { HOME: below("home"), PATH: [launcher, ...programs].join(delimiter) },
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.end(input);
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  if (code !== 0) throw new Error(`exit status ${code}\n${input}\n${output}\n${errors}`);
};

/** One shell for all: what a block exports, and where it goes, the next one knows. */
const shell = (commands: string): Promise<void> => {
  const kept = below("exported");
  const keep = `{ export -p; printf 'cd %q\\n' "$PWD"; } > ${kept}`;
  return run("bash", ["-euo", "pipefail"], `[ ! -e ${kept} ] || . ${kept}\n${here(commands)}\n${keep}\n`);
};

const perform = async ({ language, text: words, file }: DocumentedBlock): Promise<void> => {
  if (file !== undefined) {
    await mkdir(dirname(here(file)), { recursive: true });
    await writeFile(here(file), here(words));
  } else if (language === "sql") await run("mariadb", [], here(words));
  else if (language === "python") await run(analyticsPython(), ["-"], here(words));
  else await shell(words);
};

/** What a careful operator keeps elsewhere: the repository's password and the keys of portable dumps. */
const keepSafe = async (): Promise<void> => {
  for (const name of ["repo.password", "age.key", "seal.key"])
    await cp(below(`etc/openemr-ops/${name}`), below(`home/safe/${name}`)).catch(() => {});
};

/** The building burned down: the backups are elsewhere, what was in the safe is at hand. */
const loseEverything = async (): Promise<void> => {
  const rows = await server.query("SELECT schema_name AS name FROM information_schema.schemata");
  for (const name of rows.map(({ name }) => String(name)).filter((name) => name.startsWith("openemr")))
    await server.query(`DROP DATABASE \`${name}\``);
  for (const user of ["openemr_dump", "openemr_restore", "openemr"])
    for (const host of ["%", "localhost"]) await server.query(`DROP USER IF EXISTS '${user}'@'${host}'`);
  for (const place of ["srv/openemr", "srv/restore", "etc", "var", "exported"])
    await rm(below(place), { recursive: true, force: true });
  await mkdir(below("etc/openemr-ops"), { recursive: true });
  await cp(below("home/safe"), below("etc/openemr-ops"), { recursive: true });
};

const countOf = async (schema: string, table: string): Promise<number> =>
  Number((await server.query(`SELECT COUNT(*) AS n FROM \`${schema}\`.\`${table}\``))[0]?.n);

beforeAll(async () => {
  machine = await mkdtemp(join(tmpdir(), "openemr-ops-docs-"));
  for (const place of ["home", "etc", "srv/openemr", "srv/backups", "mnt"])
    await mkdir(below(place), { recursive: true });
  server = await startMariaDb({ directory: below("mariadb") });
  const { host, port, user, password } = server;
  estate = await buildEstate({
    directory: below("srv/openemr"),
    database: { host, port, user, password, name: "openemr" },
    seed: "docs",
    size: "tiny",
  });
  const login = `[client]\nhost=${host}\nport=${port}\nuser=${user}\npassword=${password}\n`;
  await writeFile(below("home/.my.cnf"), login, { mode: 0o600 });
});
afterAll(async () => {
  await server?.stop();
  await rm(machine, { recursive: true, force: true });
});

/** Rows, keys and a connection that no container would take for "not set up". */
const expectWhole = async (): Promise<void> => {
  expect(await countOf("openemr", "patient_data")).toBe(estate.rows.patient_data);
  const site = below("srv/openemr/sites/default");
  expect(await readdir(join(site, "documents/logs_and_misc/methods"))).toContain("sevena");
  expect(readFileSync(join(site, "sqlconf.php"), "utf8")).toMatch(/^\$config\s*=\s*1;/m);
};

describe.each(pages)("the commands of $name", ({ page, blocks }) => {
  beforeAll(() => rm(below("exported"), { force: true }));

  it("are tried wherever the page says so", () => {
    expect(blocks.length).toBeGreaterThan(2);
    expect(blocks).toHaveLength(page.split("<!-- tested").length - 1);
  });

  it.each(blocks)(`do what they say in the block at line $line`, async (block) => {
    if (block.freshMachine) {
      await expectWhole(); // what the section before has restored
      await loseEverything();
    }
    await perform(block);
    await keepSafe();
  });

  it("leave a whole OpenEMR behind", expectWhole);
});
