import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { ulid } from "@openemr-ops/core/ids";
import { fileJobs } from "@openemr-ops/files/fileJobs";
import { buildEstate, type Estate } from "@openemr-ops/local/estate/buildEstate";
import { newRelease, type OpenEmrPages, oldRelease, startOpenEmrPages } from "@openemr-ops/local/servers/openEmrPages";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { snapshotOf } from "../support/configuration.ts";

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly status: string;
  readonly detail: string;
}

const server = inject("server");
const schema = "health_clinic";
let directory: string;
let estate: Estate;
let pages: OpenEmrPages;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-health-"));
  await mkdir(join(directory, "estate"));
  const { host, port, user, password } = server;
  const database = { host, port, user, password, name: schema };
  estate = await buildEstate({ directory: join(directory, "estate"), database, seed: "health", size: "tiny" });
  pages = await startOpenEmrPages();
  await writeFile(join(directory, "password"), estate.dumpLogin.password, { mode: 0o600 });
  const dumps = join(directory, "dumps/manifests/clinic-a");
  await mkdir(dumps, { recursive: true });
  await writeFile(join(dumps, `${ulid(new Date(Date.now() - 5 * 3_600_000))}.json`), "not read");
});
afterAll(async () => {
  await pages?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});
beforeEach(() => pages.serve(newRelease()));

const configOf = (health: object = {}) => ({
  stateDirectory: "state",
  installations: [
    {
      id: "clinic-a",
      platform: { kind: "host" },
      database: {
        host: server.host,
        port: server.port,
        name: schema,
        user: estate.dumpLogin.user,
        passwordFile: "password",
        tls: "off",
      },
      sites: { path: estate.sitesPath },
      dumps: {
        destination: `file://${join(directory, "dumps")}`,
        passwordFile: "password",
        retention: { keepDaily: 7 },
      },
      health: { url: pages.url, ...health },
    },
  ],
});

/** Runs the command as an operator would. */
const health = async (args: readonly string[] = [], settings: object = {}) => {
  const config = join(directory, "c.json");
  await writeFile(config, JSON.stringify(configOf(settings)));
  const main = join(repositoryRoot, "packages/cli/src/main.ts");
  const child = spawn(process.execPath, [main, "health", "--config", config, "--json", ...args]);
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  const json: { readonly healthy: boolean; readonly checks: readonly Check[]; readonly error?: { name: string } } =
    JSON.parse(stdout);
  const byName = new Map(json.checks.map((check) => [check.name, check]));
  return { exitCode, json, stderr, check: (name: string) => byName.get(name) };
};

const changeSqlconf = async (change: (text: string) => string): Promise<AsyncDisposable> => {
  const file = join(estate.sitesPath, "default/sqlconf.php");
  const before = await readFile(file, "utf8");
  const after = change(before);
  expect(after).not.toBe(before);
  await writeFile(file, after);
  return { [Symbol.asyncDispose]: () => writeFile(file, before) };
};

describe("the command health, of a hospital that works", () => {
  it("says that it is healthy, and all that it looked at", async () => {
    const { exitCode, json, check } = await health();

    expect({ exitCode, healthy: json.healthy }).toEqual({ exitCode: 0, healthy: true });
    expect(json.checks.map(({ name, status }) => [name, status])).toEqual([
      ["openemr", "ok"],
      ["database", "ok"],
      ["version", "ok"],
      ["free-space", expect.stringMatching(/ok|warning/)],
      ["newest-dump", "ok"],
      ["verified-dump", "warning"],
    ]);
    expect(check("database")?.detail).toMatch(/^site default: reached/);
    expect(check("version")?.detail).toMatch(/^OpenEMR \d+\.\d+\.\d+/);
    expect(check("newest-dump")?.detail).toBe("the newest complete dump is 5 hours old");
  });

  it("of a release before 8.0 too, and where something else answers in its place", async () => {
    pages.serve(oldRelease());
    expect(await health()).toMatchObject({ exitCode: 0, json: { healthy: true } });

    pages.serve({ "/": "ok" });
    expect(await health()).toMatchObject({ exitCode: 4 });
    expect(await health([], { bodyIncludes: "ok" })).toMatchObject({ exitCode: 0, json: { healthy: true } });
  });

  it("shows with --dry-run what it would look at, and looks at nothing", async () => {
    const before = { seen: pages.seen.length, files: await snapshotOf(estate.sitesPath) };
    const { exitCode, json } = await health(["--dry-run"]);

    expect(exitCode).toBe(0);
    expect(json.checks.map((check) => Object.keys(check))).toEqual(Array(6).fill(["name", "at"]));
    expect(pages.seen).toHaveLength(before.seen);
    expect(await snapshotOf(estate.sitesPath)).toEqual(before.files);
  });
});

describe("the command health, of a hospital that does not work", () => {
  it("names a page that is not OpenEMR's, with the exit status of a failure and one JSON value", async () => {
    pages.serve(oldRelease("Query Error"));
    const { exitCode, json, check } = await health();

    expect(exitCode).toBe(4);
    expect(json).toMatchObject({ healthy: false, error: { name: "InstallationUnhealthyError" } });
    expect(check("openemr")).toMatchObject({ ok: false, detail: expect.stringContaining("login form") });
    expect(check("database")).toMatchObject({ ok: true });
  });

  it("sees a wrong password behind pages that say all is well", async () => {
    await using _ = await changeSqlconf((file) => file.replace(/(\$pass\s*=\s*')/, "$1canary"));
    const { exitCode, json, stderr, check } = await health();

    expect(exitCode).toBe(4);
    expect(check("database")).toMatchObject({ ok: false, detail: expect.stringContaining("refuses the login") });
    expect(check("openemr")).toMatchObject({ ok: true });
    expect(JSON.stringify(json) + stderr).not.toMatch(/canary/);
  });

  it("raises the alarm where OpenEMR waits for its setup", async () => {
    await using _ = await changeSqlconf((file) => file.replace(/\$config\s*=\s*1/, "$config = 0"));

    expect((await health()).check("database")).toMatchObject({
      ok: false,
      detail: expect.stringContaining("OpenEMR is not set up"),
    });
  });

  it("keeps a record of it, as of every job", async () => {
    pages.serve({});
    await health();

    const jobs = fileJobs({ directory: join(directory, "state/jobs"), now: () => new Date(), warn: () => undefined });
    const [newest] = await jobs.list("clinic-a", 1);
    expect(newest).toMatchObject({
      kind: "health",
      status: "failed",
      error: {
        name: "InstallationUnhealthyError",
        message: expect.stringContaining("openemr: the address answers with"),
      },
    });
  });
});
