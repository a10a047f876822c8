import { execFile, execFileSync, spawn } from "node:child_process";
import { chmod, mkdir, open, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { drillDump } from "@openemr-ops/dumps/steps/drillDump";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { fileDestination } from "@openemr-ops/files/fileDestination";
import { readCodeVersion } from "@openemr-ops/openemr/version";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aClinic, type Clinic } from "../../support/aClinic.ts";
import { aWorkDirectory, configurationFor, contextFor, resticsHere } from "../../support/dumpContext.ts";
import { driveKeyPath } from "../../support/keyedSite.ts";

const run = promisify(execFile);
const command = fileURLToPath(new URL("../../../packages/cli/src/main.ts", import.meta.url));

let work: Awaited<ReturnType<typeof aWorkDirectory>>;
let clinic: Clinic;
let directory: string;
beforeAll(async () => {
  work = await aWorkDirectory();
});
beforeEach(async () => {
  clinic = await aClinic({ programs: false });
  directory = join(work.path, clinic.schema.name);
  await mkdir(directory);
  return () => clinic.remove();
});
afterAll(() => work.remove());

/** What a person would type, and its environment. */
const aDump = async () => {
  const { config, environment } = configurationFor({
    schema: clinic.schema,
    sitesPath: clinic.sitesPath,
    directory,
    dumps: { format: "portable" },
  });
  await writeFile(join(directory, "config.json"), JSON.stringify(config));
  return {
    args: [command, "dump", "--config", join(directory, "config.json")],
    env: { ...process.env, ...environment },
  };
};

const makers: readonly { readonly what: string; readonly make: (path: string) => Promise<unknown> }[] = [
  { what: "a FIFO", make: async (path) => execFileSync("mkfifo", [path]) },
  {
    what: "a socket",
    make: async (path) => {
      const short = join(tmpdir(), `socket-${process.pid}`); // its name as it is made has 107 bytes at most
      await new Promise<void>((done) => createServer().listen(short, done));
      await rename(short, path);
    },
  },
  { what: "a device that never ends", make: async (path) => execFileSync("mknod", [path, "c", "1", "5"]) },
  { what: "a directory", make: (path) => mkdir(path) },
];

describe.each(makers)("$what in the sites tree", ({ make }) => {
  it.each(["default/sqlconf.php", driveKeyPath("sevena"), "default/docker-version", "default/documents/12/one"])(
    "named %s does not hold up a dump: it ends, or goes on, and says so",
    { timeout: 30_000 },
    async (name) => {
      const path = join(clinic.sitesPath, name);
      await rm(path, { force: true });
      await make(path);

      const { args, env } = await aDump();
      const ended = await run(process.execPath, args, { env, timeout: 20_000 }).then(
        ({ stdout }) => ({ killed: false, said: stdout }),
        ({ killed, stderr }: { readonly killed: boolean; readonly stderr: string }) => ({ killed, said: stderr }),
      );

      expect(ended.killed).toBe(false);
      expect(ended.said).toMatch(/warning|SourceUnreadableError/);
      expect(ended.said).not.toMatch(/UnexpectedError/);
    },
  );
});

it("a FIFO for a sqlconf.php does not keep a dump from stopping on SIGTERM", { timeout: 30_000 }, async () => {
  await clinic.schema.query("INSERT INTO log (comments) SELECT REPEAT('x', 500000) FROM seq_1_to_100");
  await rm(join(clinic.sitesPath, "default/sqlconf.php"));
  execFileSync("mkfifo", [join(clinic.sitesPath, "default/sqlconf.php")]);
  const { args, env } = await aDump();
  const child = spawn(process.execPath, args, { env, stdio: "ignore" });
  const ended = new Promise<boolean>((resolve) => child.once("exit", () => resolve(true)));
  await new Promise((resolve) => setTimeout(resolve, 1500));
  child.kill("SIGTERM");
  const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 10_000));
  const inTime = await Promise.race([ended, late]);
  child.kill("SIGKILL");

  expect(inTime).toBe(true);
});

it("a sparse sqlconf.php of 1.9 GB takes no memory of its size", { timeout: 60_000 }, async () => {
  await using file = await open(join(clinic.sitesPath, "default/sqlconf.php"), "r+");
  await file.truncate(1_900_000_000);
  await chmod(join(clinic.sitesPath, "default/sqlconf.php"), 0o640);
  const { args, env } = await aDump();

  const measure = [
    "-c",
    "import resource,subprocess,sys;subprocess.run(sys.argv[1:],stdout=subprocess.DEVNULL,stderr=subprocess.DEVNULL);print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)",
  ];
  const { stdout } = await run("python3", [...measure, process.execPath, ...args], { env });

  expect(Number(stdout)).toBeLessThan(500_000); // KiB
});

it("a version.php that is a FIFO is an answer with a name, at once", { timeout: 10_000 }, async () => {
  execFileSync("mkfifo", [join(directory, "version.php")]);

  await expect(readCodeVersion(directory)).rejects.toThrow(/version\.php.*no regular file/);
});

describe("a destination that others can write to", () => {
  it("is not waited for where a manifest is a FIFO", { timeout: 10_000 }, async () => {
    execFileSync("mkfifo", [join(directory, "a")]);

    expect(await fileDestination(directory).get("a")).toBeUndefined();
  });

  it("cannot feed a drill more than the manifest announced", { timeout: 60_000 }, async () => {
    const context = await contextFor({
      schema: clinic.schema,
      sitesPath: clinic.sitesPath,
      directory,
      dumps: { format: "portable" },
    });
    await takeDump(context);
    let sent = 0;
    const endless = {
      ...context.destination,
      get: async (key: string) => {
        const stream = await context.destination.get(key);
        if (!stream || !key.includes("database.sql")) return stream;
        const { Readable } = await import("node:stream");
        return Readable.from(
          (async function* () {
            yield* stream;
            for (; sent < 2_000_000_000; sent += 65_536) yield Buffer.alloc(65_536);
          })(),
          { objectMode: false },
        );
      },
    };
    const { portableStore } = await import("@openemr-ops/dumps/store/portable");
    const store = portableStore({ destination: endless, tar: "tar", compression: "zstd", ageRecipients: [] });

    await expect(drillDump({ ...context, store, destination: endless }, "latest")).rejects.toThrow(/is damaged/);
    expect(sent).toBeLessThan(20_000_000);
  });
});

it("a tree whose file becomes a FIFO while it is read does not hold up tar or restic", {
  timeout: 60_000,
}, async () => {
  const forms: readonly Partial<Parameters<typeof contextFor>[0]>[] = [
    { dumps: { format: "portable" } },
    ...resticsHere().map(({ restic }) => ({ restic })),
  ];
  for (const [index, form] of forms.entries()) {
    const target = join(clinic.sitesPath, "default/documents/12/letter");
    execFileSync("mkfifo", [`${target}.fifo`]);
    const context = await contextFor({
      schema: clinic.schema,
      sitesPath: clinic.sitesPath,
      directory: join(directory, `form-${index}`),
      ...form,
    });
    await takeDump(context);
    await rename(`${target}.fifo`, `${target}.was`);
    await rm(`${target}.was`);
  }
});
