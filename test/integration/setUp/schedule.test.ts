import { spawnSync } from "node:child_process";
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { findTool, repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aMachine, type Machine } from "../../support/aMachine.ts";

let machine: Machine;
beforeAll(async () => {
  machine = await aMachine();
  for (const place of ["root/usr/local/bin", "root/var/log"]) await mkdir(machine.place(place), { recursive: true });
  const main = join(repositoryRoot, "packages/cli/src/main.ts");
  const command = inRoot("usr/local/bin/openemr-ops");
  await writeFile(command, `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
  await chmod(command, 0o755);
});
afterAll(() => machine.remove());

const inRoot = (path: string): string => machine.place(join("root", path));
const units = () => inRoot("etc/systemd/system");

const init = (...more: readonly string[]) => {
  const { user } = machine.clinic.schema;
  const administrator = ["--administrator", user, "--administrator-password", "env:ADMINISTRATOR_PASSWORD"];
  return machine.run(["init", ...machine.options({ "--root": inRoot("") }), ...administrator, ...more, "--json"]);
};
const actionsOf = ({ json }: { readonly json: unknown }): readonly string[] =>
  (json as { readonly files: readonly { readonly action: string }[] }).files.map(({ action }) => action);

/** Runs a command where the files that were installed are in their places, for this command alone. */
const there = (command: string, environment: Readonly<Record<string, string>> = {}) => {
  const places = `mount -t overlay overlay -o lowerdir=${inRoot("usr/local")}:/usr/local /usr/local && mount --bind ${inRoot("var/log")} /var/log`;
  const { status, stdout, stderr } = spawnSync(
    "unshare",
    [
      "--mount",
      "sh",
      "-c",
      `${places} && exec "$@"`,
      "sh",
      "/usr/bin/env",
      "-i",
      ...Object.entries(environment).map((pair) => pair.join("=")),
      "/bin/sh",
      "-c",
      command,
    ],
    { encoding: "utf8" },
  );
  return { status, stdout, stderr };
};

describe("the units that init installs", () => {
  it("are ones that systemd understands, to the last setting", async () => {
    const end = await init("--systemd", "--mail-to", "admin@clinic.example");
    expect(end, end.stderr).toMatchObject({ exitCode: 0, json: { ran: [] } });
    expect(end.stdout).toContain("systemctl enable --now openemr-ops-dump@clinic-a.timer");
    const kinds = ["dump", "check", "drill", "retention"];
    const names = kinds.flatMap((kind) => [
      `openemr-ops-${kind}@clinic-a.timer`,
      `openemr-ops-${kind}@clinic-a.service`,
    ]);
    const analyze = findTool("systemd-analyze") ?? "";
    const verified = there(`${analyze} verify --man=no ${names.join(" ")} openemr-ops-failed@x.service`, {
      SYSTEMD_UNIT_PATH: `${units()}:`,
      PATH: "/usr/bin:/bin",
    });
    expect(verified).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(await readFile(join(inRoot(machine.place("etc")), "mail.env"), "utf8")).toContain(
      "MAILTO=admin@clinic.example",
    );
  });

  it("write where the configuration says, and drills where they work too", async () => {
    const placesOf = async (kind: string) => {
      const text = await readFile(join(units(), `openemr-ops-${kind}@clinic-a.service.d/places.conf`), "utf8");
      return /^ReadWritePaths=(.*)$/m.exec(text)?.[1]?.split(" ");
    };
    const usual = [machine.place("state"), machine.place("backups")];
    for (const kind of ["dump", "check", "retention"]) expect(await placesOf(kind)).toEqual(usual);
    expect(await placesOf("drill")).toEqual([...usual, machine.place("state/drills")]);
  });

  it("write where metrics are kept, and start where that directory is absent", async () => {
    const configuration = machine.place("etc/config.json");
    const before = await readFile(configuration, "utf8");
    const metricsFile = machine.place("metrics/openemr-ops.prom");
    await writeFile(configuration, JSON.stringify({ ...JSON.parse(before), metricsFile }));
    expect(await init("--systemd")).toMatchObject({ exitCode: 0 });
    const places = await readFile(join(units(), "openemr-ops-dump@clinic-a.service.d/places.conf"), "utf8");
    expect(/^ReadWritePaths=(.*)$/m.exec(places)?.[1]?.split(" ")).toContain(`-${machine.place("metrics")}`);
    expect(/^RequiresMountsFor=(.*)$/m.exec(places)?.[1]).not.toContain("metrics");
    await writeFile(configuration, before);
    expect(await init("--systemd")).toMatchObject({ exitCode: 0 });
  });

  it("share one sandbox; only drills may set owners and modes", async () => {
    const rightsOf = async (kind: string) =>
      /^CapabilityBoundingSet=(.*)$/m.exec(await readFile(join(units(), `openemr-ops-${kind}@.service`), "utf8"))?.[1];
    for (const kind of ["dump", "check", "retention"]) expect(await rightsOf(kind)).toBe("CAP_DAC_READ_SEARCH");
    expect(await rightsOf("drill")).toBe("CAP_DAC_READ_SEARCH CAP_DAC_OVERRIDE CAP_CHOWN CAP_FOWNER");
    const sandboxOf = async (kind: string) => {
      const text = await readFile(join(units(), `openemr-ops-${kind}@.service`), "utf8");
      return text
        .slice(text.indexOf("User="))
        .split("\n")
        .filter((line) => !/^(CapabilityBoundingSet|RestrictSUIDSGID)=/.test(line));
    };
    const [dump, ...others] = await Promise.all(["dump", "check", "drill", "retention"].map(sandboxOf));
    for (const other of others) expect(other).toEqual(dump);
  });

  it("start, and report, as often as they are asked to", async () => {
    for (const kind of ["dump", "check", "drill", "retention", "failed"]) {
      const text = await readFile(join(units(), `openemr-ops-${kind}@.service`), "utf8");
      expect(text.slice(0, text.indexOf("[Service]"))).toMatch(/^StartLimitIntervalSec=0$/m);
    }
  });

  it("are replaced by those of a newer version, unless somebody made them their own", async () => {
    const [older, own] = ["openemr-ops-dump@.service", "openemr-ops-dump@.timer"].map((name) => join(units(), name));
    await writeFile(older ?? "", (await readFile(older ?? "", "utf8")).replace("Nice=10", "Nice=1"));
    await writeFile(own ?? "", "[Timer]\nOnCalendar=12:00\n");
    const end = await init("--systemd", "--mail-to", "admin@clinic.example");
    expect(actionsOf(end).filter((action) => action !== "same")).toEqual(["keep", "replace", "keep"]);
    expect(await readFile(older ?? "", "utf8")).toContain("Nice=10");
    expect(await readFile(own ?? "", "utf8")).toBe("[Timer]\nOnCalendar=12:00\n");
    expect(actionsOf(await init("--systemd")).filter((action) => action === "replace")).toEqual([]);
  });

  it("are shown in a dry run, and written by nobody", async () => {
    const other = inRoot("other");
    await mkdir(join(other, "usr/local/bin"), { recursive: true });
    await writeFile(join(other, "usr/local/bin/openemr-ops"), "#!/bin/sh\n", { mode: 0o755 });
    const shown = await machine.run(["init", ...machine.options({ "--root": other }), "--cron", "--dry-run", "--json"]);
    expect(shown, shown.stderr).toMatchObject({ exitCode: 0 });
    expect(shown.stdout).toContain("15 2 * * * root");
    expect(await readdir(other)).toEqual(["usr"]);
  });
});

describe("the crontab that init installs", () => {
  /** A line's command with the variables that the file sets: all that cron gives it. */
  const jobs = async () => {
    const lines = (await readFile(inRoot("etc/cron.d/openemr-ops"), "utf8")).split("\n");
    const variables = lines.flatMap((line) => /^([A-Z]+)=(.*)$/.exec(line)?.slice(1, 3) ?? []);
    const environment: Record<string, string> = {};
    for (let at = 0; at < variables.length; at += 2) environment[variables[at] ?? ""] = variables[at + 1] ?? "";
    const commands = lines.flatMap((line) => /^(?:\S+ ){5}root (.*)$/.exec(line)?.[1] ?? []);
    return { environment, commands };
  };
  const log = () => readFile(inRoot("var/log/openemr-ops.log"), "utf8");

  it("runs each job with cron's few variables, and prints nothing where all went well", {
    timeout: 60_000,
  }, async () => {
    const end = await init("--cron", "--mail-to", "root");
    expect(end, end.stderr).toMatchObject({ exitCode: 0 });
    const { environment, commands } = await jobs();
    expect(environment.MAILTO).toBe("root");
    expect(commands).toHaveLength(4);
    for (const command of commands)
      expect(there(command, environment), command).toEqual({ status: 0, stdout: "", stderr: "" });
    const text = await log();
    expect(text).toContain("is complete.");
    expect(text.match(/ended with exit status 0/g)).toHaveLength(4);
  });

  it("prints what went wrong, for cron to mail it, and keeps the exit status", async () => {
    const { environment, commands } = await jobs();
    const password = join(dirname(machine.place("etc/config.json")), "secrets/dump.password");
    await writeFile(password, "canary-not-this-one\n");
    const failed = there(commands[0] ?? "", environment);
    expect(failed).toMatchObject({ status: 4, stderr: "" });
    expect(failed.stdout).toMatch(/exit status 4 on .*: .*openemr-ops dump[\s\S]*DatabaseAccessDeniedError/);
    expect(failed.stdout + (await log())).not.toContain("canary-not");
  });
});
