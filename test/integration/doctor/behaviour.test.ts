import { spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { checkNames, type DoctorFinding } from "@openemr-ops/task/doctor/finding";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { filesOf, rowsOf } from "../../support/aClinic.ts";
import { anExaminedClinic, type ExaminedClinic } from "../../support/examinedClinic.ts";
import { realCommandLine, startReal } from "../../support/realCommandLine.ts";
import { aSilentServer } from "../../support/silentServer.ts";
import { treeImage } from "../../support/treeImage.ts";

let directory: string;
let here: ExaminedClinic;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-doctor-"));
  await chmod(directory, 0o755);
  here = await anExaminedClinic(directory);
});
afterAll(async () => {
  await here?.remove();
  await rm(directory, { recursive: true, force: true });
});

const below = (name: string) => join(here.clinic.directory, name);
const by = (check: string) => (finding: DoctorFinding) => finding.check === check;
const nobody = 65534;

describe("the doctor", () => {
  it("leaves destination, database, sites and state as they were, and writes trial objects only where it may", async () => {
    const { config, environment } = here.settings();
    await here.write({ ...config, stateDirectory: below("no/state/yet") });
    const { schema, sitesPath } = here.clinic;
    const look = async () => ({
      repository: await filesOf(below("repository")),
      rows: await rowsOf(schema, schema.name),
      schemas: await here.server.query("SHOW DATABASES"),
      users: await here.server.query("SELECT User, Host FROM mysql.user ORDER BY 1, 2"),
      sites: treeImage(sitesPath),
      drills: treeImage(below("drills")),
      state: await stat(below("no")).catch(() => "absent"),
    });
    const before = await look();
    const whole = await here.doctor(environment);
    expect(whole.problems).toEqual([]);
    expect(whole.findings.find(by("destination"))).toMatchObject({
      status: "ok",
      seen: expect.stringContaining("trials"),
    });
    const inOrder = [...new Set(whole.findings.map(({ check }) => check))];
    expect(inOrder).toEqual(checkNames.filter((name) => inOrder.includes(name)));
    expect(await look()).toEqual(before);

    const fresh = { ...config.installations[0], id: "clinic-b" };
    fresh.dumps = { ...fresh.dumps, destination: `file://${below("fresh/place")}` };
    await here.write({ ...config, installations: [fresh] });
    const dry = await here.doctor(environment, ["doctor", "--dry-run"]);
    expect(dry.findings.find(by("destination"))).toMatchObject({ status: "not tried" });
    expect(dry.findings.find(by("repository"))).toMatchObject({
      status: "ok",
      seen: expect.stringContaining("no repository yet"),
    });
    expect((await here.doctor(environment)).problems).toEqual([]);
    await expect(stat(below("fresh"))).rejects.toThrow("ENOENT");
  });

  it("finds files and directories that its own user cannot read, and shows no name of a patient", async () => {
    const documents = join(here.clinic.sitesPath, "default/documents");
    const private_ = [join(documents, "77/canary-jane-doe.pdf"), join(documents, "78/canary-john-doe.pdf")];
    for (const path of private_) {
      await mkdir(dirname(path));
      await writeFile(path, "scan");
    }
    await chmod(private_[0] ?? "", 0o000);
    await chmod(dirname(private_[1] ?? ""), 0o700);
    const program = await realCommandLine({ ...here.clinic, directory: below("own") });
    spawnSync("chown", ["-R", `${nobody}:${nobody}`, below("own")]);
    const run = (args: readonly string[]) => program.run(args, { user: nobody });
    try {
      expect((await run(["dump"])).json).toMatchObject({ error: { name: "SourceUnreadableError" } });
      const { json, stdout, stderr, exitCode } = await run(["doctor", "--dry-run"]);
      const { findings } = json as { readonly findings: readonly DoctorFinding[] };
      expect(findings.filter(({ status }) => status === "problem")).toMatchObject([
        {
          check: "sites-readable",
          field: "installations[0].sites.path",
          seen: expect.stringMatching(/cannot read 1 file and 1 directory, the first ones in default\/documents\/…/),
        },
      ]);
      expect(exitCode).toBe(4);
      expect(stdout + stderr).not.toContain("doe");
    } finally {
      for (const path of private_) await rm(dirname(path), { recursive: true });
    }
  });

  it("ends by itself where a server never answers, and names it once", async () => {
    await using silent = await aSilentServer();
    const { config, environment } = here.settings();
    config.installations[0].database.port = silent.port;
    await here.write(config);
    const { problems, findings } = await here.doctor(environment, ["doctor", "--dry-run"]);
    expect(problems).toMatchObject([{ check: "database-server", field: "installations[0].database.host" }]);
    expect(findings.find(by("dump-login"))).toMatchObject({
      status: "not tried",
      seen: expect.stringContaining("needs database-server"),
    });
    expect(findings.find(by("repository"))).toMatchObject({ status: "ok" });
  });

  it("stops on SIGTERM while it waits", async () => {
    await using silent = await aSilentServer();
    const { config, environment } = here.settings();
    config.installations[0].database.port = silent.port;
    await here.write(config);
    const program = startReal(["doctor", "--dry-run", "--config", here.file, "--json"], environment);
    await silent.connected;
    program.process.kill("SIGTERM");
    const { exitCode, json } = await program.ended;
    expect([exitCode, json]).toMatchObject([4, { error: { name: "JobAbortedError" } }]);
  });

  it("warns of what no job fails for, with exit status 0", async () => {
    const { config, environment } = here.settings();
    const secrets = below("secrets");
    await mkdir(secrets);
    await writeFile(join(secrets, "repository"), `${environment.REPOSITORY_PASSWORD}\n`, { mode: 0o600 });
    await chmod(secrets, 0o777);
    delete config.installations[0].dumps.password;
    config.installations[0].dumps.passwordFile = join(secrets, "repository");
    await chmod(below("state"), 0o755);
    config.metricsFile = below("absent/openemr-ops.prom");
    await here.write(config);
    await here.server.query(
      `GRANT INSERT ON ${here.clinic.schema.name}.* TO '${here.clinic.schema.dumpUser.user}'@'%'`,
    );
    const { exitCode, findings } = await here.doctor(environment, ["doctor", "--dry-run"]);
    const warnings = findings.filter(({ status }) => status === "warning").map(({ check, field }) => [check, field]);
    expect(warnings).toEqual([
      ["secret-files", "installations[0].dumps.passwordFile"],
      ["state-directory", "stateDirectory"],
      ["notifications", "notifications"],
      ["metrics-file", "metricsFile"],
      ["dump-plan", "installations[0].database.user"],
    ]);
    expect(exitCode).toBe(0);
  });

  it("warns that the first dump may not fit, until the store has one", async () => {
    const { config, environment } = here.settings();
    const large = join(here.clinic.sitesPath, "default/documents/large");
    await writeFile(large, "");
    await truncate(large, 2 ** 43); // sparse: it takes no room
    config.installations[0].dumps.copies = [{ destination: `file://${below("later")}` }];
    await here.write(config);
    try {
      const { findings } = await here.doctor(environment, ["doctor", "--dry-run"]);
      const spaceAt = (field: string) => findings.find((one) => one.check === "space" && one.field.endsWith(field));
      expect(spaceAt("dumps.destination")).toMatchObject({ status: "ok" });
      expect(spaceAt("copies[0].destination")).toMatchObject({
        status: "warning",
        seen: expect.stringMatching(/^copy 1 at .* the first dump may take up to/),
      });
    } finally {
      await rm(large);
    }
  });

  it("warns of a clock that is not the database server's", async () => {
    const { config, environment } = here.settings();
    await here.write(config);
    const inTwoHours = () => new Date(Date.now() + 7_200_000);
    const { exitCode, findings } = await here.doctor(environment, ["doctor", "--dry-run"], inTwoHours);
    expect(findings).toContainEqual(
      expect.objectContaining({
        check: "dump-schema",
        status: "warning",
        field: "installations[0].database.host",
        seen: expect.stringMatching(/clock .* differ by 7[12]\d\d s/),
      }),
    );
    expect(exitCode).toBe(0);
  });

  it("is what config check --deep does, on the installation that is asked for", async () => {
    const { config, environment } = here.settings();
    const other = { ...config.installations[0], id: "clinic-d", sites: { path: below("absent") } };
    other.dumps = { ...other.dumps, destination: `file://${below("other")}` };
    await here.write({ ...config, installations: [config.installations[0], other] });
    const all = await here.doctor(environment, ["config", "check", "--deep", "--dry-run"]);
    expect(all.problems).toMatchObject([
      { check: "sites", installation: "clinic-d", field: "installations[1].sites.path" },
    ]);
    const one = await here.doctor(environment, ["doctor", "--dry-run", "--installation", "clinic-a"]);
    expect([one.exitCode, one.problems]).toEqual([0, []]);
  });
});
