import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { commands } from "@openemr-ops/cli/commands/index";
import { completableCommands } from "@openemr-ops/cli/completion/completable";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runInMemory } from "../../support/commandLine.ts";
import { aConfig, aConfigDirectory, anInstallation } from "../../support/configuration.ts";
import { completedByBash, completedByZsh } from "../../support/shellCompletion.ts";

const shells = [
  { shell: "bash", complete: completedByBash },
  { shell: "zsh", complete: completedByZsh },
] as const;

describe.each(shells)("completion in $shell", ({ shell, complete }) => {
  let cwd: string;
  beforeAll(async () => {
    cwd = mkdtempSync(join(tmpdir(), "completion-"));
    const { stdout } = await runInMemory(["completion", shell]);
    writeFileSync(join(cwd, "script"), stdout);
    writeFileSync(join(cwd, "target one.json"), "{}");
  });
  afterAll(() => rmSync(cwd, { recursive: true }));
  const offered = (line: string) => {
    const at = { line, script: join(cwd, "script"), cwd, bin: join(repositoryRoot, "packages/cli/bin") };
    return [...new Set(complete(at))];
  };

  it.each([
    ["openemr-ops ch", ["check"]],
    ["openemr-ops check des", ["destination"]],
    ["openemr-ops rotate m", ["master"]],
    ["openemr-ops help rot", ["rotate"]],
    ["openemr-ops check --json --le", ["--level"]],
    ["openemr-ops check --level ", ["objects", "read-data", "drill"]],
    ["openemr-ops check --level=r", ["read-data"]],
    ["openemr-ops drill --dump ", ["latest"]],
    ["openemr-ops drill --config dump --du", ["--dump"]],
    ["openemr-ops run exportS", ["exportSites"]],
    ["openemr-ops restore --into-database ", []],
    ["openemr-ops frobnicate --co", []],
  ])("of %s offers %j", (line, words) => {
    expect(offered(line)).toEqual(words);
  });

  it("offers every command, and for a command every option", () => {
    const first = offered("openemr-ops ");
    expect(first).toEqual(expect.arrayContaining(commands.map(({ name }) => name.split(" ")[0])));
    const restore = completableCommands(commands).find(({ name }) => name === "restore");
    expect(offered("openemr-ops restore --").sort()).toEqual(restore?.options.map(({ flag }) => flag).sort());
  });

  it("offers files where an option names one, and never where it does not", () => {
    expect(offered("openemr-ops restore --connect tar")).toEqual(["target one.json"]);
    expect(offered("openemr-ops restore --into-database tar")).toEqual([]);
  });

  it("offers the installations of the configuration that the line names", async () => {
    await using directory = await aConfigDirectory();
    const { dumps } = anInstallation();
    const second = { ...anInstallation({ id: "clinic-b" }), dumps: { ...dumps, destination: "file:///srv/second" } };
    const config = await directory.write(aConfig(anInstallation(), second));
    expect(offered(`openemr-ops dumps --config ${config} --installation `)).toEqual(["clinic-a", "clinic-b"]);
    expect(offered(`openemr-ops dumps --config=${config} --installation clinic-b`)).toEqual(["clinic-b"]);
    expect(offered("openemr-ops dumps --config absent.json --installation ")).toEqual([]);
  });
});
