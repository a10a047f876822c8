import { readdirSync, readFileSync } from "node:fs";
import { commands } from "@openemr-ops/cli/commands/index";
import { flagOf } from "@openemr-ops/cli/options";
import { DestinationMissingError, InvalidInputError } from "@openemr-ops/core/errors";
import { describe, expect, it } from "vitest";
import { memoryOperations, runInMemory } from "../../support/commandLine.ts";
import { aConfig, aConfigDirectory } from "../../support/configuration.ts";

const root = new URL("../../../", import.meta.url);

/** Files that others than the command line run: what they say is read in Slack and in records too. */
const sources = ["packages", "functions", "events"]
  .flatMap((room) =>
    readdirSync(new URL(room, root), { recursive: true, encoding: "utf8" }).map((name) => `${room}/${name}`),
  )
  .filter((name) => /\.ts$/.test(name) && !/node_modules|^packages\/(cli|local|local-cloud)\//.test(name));

describe("an option of the command line", () => {
  it("is named by the command line alone", () => {
    const flags = commands
      .flatMap(({ options }) => Object.values(options).map(flagOf))
      .filter((flag) => flag.startsWith("--"));
    const named = new RegExp(`(?<![\\w-])(${flags.join("|")})(?![\\w-])`);
    const found = sources.flatMap((name) =>
      readFileSync(new URL(name, root), "utf8")
        .split("\n")
        .flatMap((line, index) => (named.test(line) ? [`${name}:${index + 1}: ${line.trim()}`] : [])),
    );

    expect(sources.length).toBeGreaterThan(100);
    expect(found).toEqual([]);
  });

  it("is added to a failure that names its field", async () => {
    await using directory = await aConfigDirectory();
    const config = await directory.write(aConfig());
    const failure = new DestinationMissingError("no repository is there", { field: "forceNewRepository" });
    const operations = memoryOperations({ takeDump: () => Promise.reject(failure) });
    const message = "no repository is there (--force-new-repository)";

    const plain = await runInMemory(["dump", "--config", config], operations);
    expect(plain).toMatchObject({ exitCode: 4, stdout: "" });
    expect(plain.stderr).toContain(`error DestinationMissingError: ${message}\n`);
    const json = await runInMemory(["dump", "--config", config, "--json"], operations);
    expect(JSON.parse(json.stdout)).toEqual({ error: { name: "DestinationMissingError", message } });
    expect(failure.message).toBe("no repository is there");
  });

  it("stands in place of its field in what is wrong with the input", async () => {
    await using directory = await aConfigDirectory();
    const issues = [
      { path: "intoDatabase", message: "exists" },
      { path: "installation", message: "is missing" },
      { path: "constructor", message: "is no option" },
    ];
    const operations = memoryOperations({ restoreDump: () => Promise.reject(new InvalidInputError(issues)) });
    const line = "restore --dump latest --into-database r --into-sites /r";
    const run = await runInMemory([...line.split(" "), "--config", await directory.write(aConfig())], operations);

    expect(run.exitCode).toBe(2);
    expect(run.stderr).toContain(
      "  --into-database: exists\n  installation: is missing\n  constructor: is no option\n",
    );
  });
});
