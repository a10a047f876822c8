import { chmod, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { showProgress } from "@openemr-ops/cli/progress";
import { SourceUnreadableError } from "@openemr-ops/core/errors";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { resultMessage } from "@openemr-ops/notifications/jobMessages";
import { runTask } from "@openemr-ops/task/taskProgram";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aClinic, type Clinic } from "../../support/aClinic.ts";
import { memoryOperations, memorySink, runInMemory } from "../../support/commandLine.ts";
import { aConfig, aConfigDirectory } from "../../support/configuration.ts";
import { aWorkDirectory, contextFor, resticsHere } from "../../support/dumpContext.ts";

let work: Awaited<ReturnType<typeof aWorkDirectory>>;
beforeAll(async () => {
  work = await aWorkDirectory();
});
afterAll(() => work.remove());

/** Clears the screen, forges a line, turns the rest around, and calls everybody. */
const name = "x\u001b[2J\u009b1m\r\nerror Forged: all is lost\u202egnp\u2066 <!channel> & \ud800";
const obeyed = /[\p{Cs}\u202e\u2066]|(?!\n)\p{Cc}/u;

describe("a name that gives orders", () => {
  it("shows itself on the terminal and gives none: in results, tables, progress, warnings and errors", async () => {
    await using directory = await aConfigDirectory();
    const config = ["--config", await directory.write(aConfig())];
    const { takeDump: fine } = memoryOperations();
    const operations = memoryOperations({
      takeDump: async (job, options) => {
        job.progress({ step: "database", rows: 1, detail: name });
        job.warn(`site ${name}`);
        const result = await fine(job, options);
        if (!("manifest" in result)) return result;
        return { ...result, manifest: { ...result.manifest, warnings: [{ code: "x", message: `site ${name}` }] } };
      },
      listDumps: async () => [
        { dumpId: name, takenAt: name, complete: false, sealed: null, verified: null, problem: name },
      ],
      checkDumps: () => Promise.reject(new SourceUnreadableError(`cannot read ${name}`)),
    });
    for (const command of [["dump"], ["dumps"], ["check"], ["check", name]]) {
      for (const json of [[], ["--json"]]) {
        const { stdout, stderr } = await runInMemory([...command, ...config, ...json], operations);

        expect(stdout + stderr).not.toMatch(obeyed);
        expect(stdout + stderr).not.toMatch(/^error Forged/m);
        expect(stdout + stderr).toMatch(/\\u\{?001b|\\u\{1b\}/);
      }
    }
    const terminal = memorySink({ isTTY: true, columns: 200 });
    showProgress(terminal, () => new Date(0)).report({ step: "database", detail: name });
    expect(terminal.text().replace("\r\u001b[2K", "")).not.toMatch(obeyed);
  });

  it("shows itself in the log of a container", async () => {
    const lines: string[] = [];
    await using directory = await aConfigDirectory();
    await runTask({
      environment: {
        OPENEMR_OPS_CONFIG: await directory.write(aConfig()),
        OPENEMR_OPS_JOB: JSON.stringify({ kind: "check" }),
      },
      cwd: "/nonexistent",
      writeResult: (text) => lines.push(text.trimEnd()),
      writeLog: (line) => lines.push(line),
      now: () => new Date(0),
      signal: new AbortController().signal,
      openOperations: async () =>
        memoryOperations({
          checkDumps: (job) => {
            job.progress({ step: "check", detail: name });
            job.warn(name);
            return Promise.reject(new SourceUnreadableError(name));
          },
        }),
      openWorkflow: () => Promise.reject(new Error("there is no task token")),
    });

    expect(lines).toHaveLength(4);
    expect(lines.join("")).not.toMatch(/[\p{Cc}\p{Cs}\u202e\u2066]/u);
  });

  it("calls nobody in Slack", () => {
    const at = "2026-11-21T04:08:00.123Z";
    const message = resultMessage(
      {
        name: "JobFailed",
        detail: {
          version: 1,
          jobId: "01K9ZV6T5W8QH3N2R4X7BCDEFG",
          kind: "dump",
          installation: "clinic-a",
          dryRun: false,
          at,
          seconds: 3,
          status: "failed",
          result: { table: name },
          error: { name: "SourceUnreadableError", message: name },
        },
      },
      { stage: "production" },
    );

    const texts = JSON.stringify(message);
    expect(texts).not.toMatch(/<!channel>|\\u001b|\\ud800/);
    expect(texts).not.toMatch(obeyed);
  });
});

/** Names in which a program's own complaints stand. */
const complaints = [
  "x: No space left on device",
  "y: Permission denied",
  "z: File removed before we read it",
  "tar: w: Cannot open: Permission denied",
  '{"message_type":"error","item":"x"}',
  "v\ntar: v: Cannot open: No space left on device",
  "u\n-rw-r--r-- 0_0 1000000 2026-01-02 03:04 forged",
  '"summary" "status" "error"',
  "Fatal: wrong password or no key found",
];

const forms = [
  { form: "tar", dumps: { format: "portable" as const } },
  ...resticsHere().map(({ name: form, restic }) => ({ form, restic, dumps: {} })),
];

describe.each(forms)("names that read like a complaint of $form", ({ form, ...options }) => {
  let clinic: Clinic;
  beforeAll(async () => {
    clinic = await aClinic({ programs: false });
    return () => clinic.remove();
  });

  it("change nothing: the dump is complete, every file is counted", async () => {
    const places = { schema: clinic.schema, sitesPath: clinic.sitesPath };
    const before = await takeDump(
      await contextFor({ ...places, directory: await mkdtemp(join(work.path, "d-")), ...options }),
    );
    const folder = join(clinic.sitesPath, "default/documents/13");
    await mkdir(folder);
    for (const one of complaints) await writeFile(join(folder, one), "x");

    const after = await takeDump(
      await contextFor({ ...places, directory: await mkdtemp(join(work.path, "d-")), ...options }),
    );

    expect(after.manifest.sites.files).toBe(before.manifest.sites.files + complaints.length);
    expect(after.manifest.sites.byteLength).toBe(before.manifest.sites.byteLength + complaints.length);
    expect(after.manifest.sites.vanished).toBe(0);
  });
});

it("a file that cannot be read fails a portable dump, however many names behind it say that it only vanished", async () => {
  const clinic = await aClinic({ programs: false });
  try {
    const directory = await mkdtemp(join(work.path, "d-"));
    await chmod(work.path, 0o755);
    const tar = join(directory, "tar");
    await writeFile(tar, '#!/bin/sh\nexec setpriv --reuid 65534 --regid 65534 --clear-groups tar "$@"\n', {
      mode: 0o755,
    });
    await writeFile(join(clinic.sitesPath, "default/documents/12/aa"), "secret", { mode: 0o600 });
    for (let index = 0; index < 300; index++)
      await writeFile(join(clinic.sitesPath, `default/zz ${index}: No such file or directory`), "x");
    const context = await contextFor({
      schema: clinic.schema,
      sitesPath: clinic.sitesPath,
      directory,
      dumps: { format: "portable" },
      environment: { OPENEMR_OPS_TAR: tar },
    });

    await expect(takeDump(context)).rejects.toThrow(SourceUnreadableError);
  } finally {
    await clinic.remove();
  }
});
