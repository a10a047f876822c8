import { parseArguments } from "@openemr-ops/cli/arguments";
import { commands } from "@openemr-ops/cli/commands/index";
import { InvalidInputError } from "@openemr-ops/core/errors";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dumpId } from "../../support/commandLine.ts";

const context = { cwd: "/work-dir", version: "1.2.3", columns: 100 };
const parse = (line: string) => {
  const invocation = parseArguments(line.split(" ").filter(Boolean), context);
  return "text" in invocation ? invocation : { ...invocation, command: invocation.command.name };
};
const common = { json: false, dryRun: false, yes: false };
const into = "--into-database restored --into-sites restored";

const issuesOf = (argv: readonly string[]) => {
  try {
    parseArguments(argv, context);
  } catch (error) {
    if (error instanceof InvalidInputError) return error.issues;
    throw error;
  }
  throw new Error("expected the command line to be refused");
};

describe("a command line", () => {
  it.each([
    ["dump", { command: "dump", common, options: { forceNewRepository: false, full: false } }],
    [
      "dump --force-new-repository --dry-run",
      { command: "dump", common: { ...common, dryRun: true }, options: { forceNewRepository: true, full: false } },
    ],
    [
      "dumps --json --config c.json",
      { command: "dumps", common: { ...common, json: true, config: "/work-dir/c.json" }, options: {} },
    ],
    [
      "dumps --config=/etc/c.json --installation=clinic-a",
      { command: "dumps", common: { ...common, config: "/etc/c.json", installation: "clinic-a" }, options: {} },
    ],
    [
      `restore --dump latest ${into}`,
      {
        command: "restore",
        common,
        options: {
          dump: "latest",
          intoDatabase: "restored",
          intoSites: "/work-dir/restored",
          inPlace: false,
          upgrade: false,
        },
      },
    ],
    [
      `restore --dump ${dumpId} ${into} --for ecs --connect target.json --upgrade`,
      {
        command: "restore",
        common,
        options: {
          dump: dumpId,
          intoDatabase: "restored",
          intoSites: "/work-dir/restored",
          inPlace: false,
          platform: "ecs",
          connect: "/work-dir/target.json",
          upgrade: true,
        },
      },
    ],
    [
      "restore --dump latest --in-place --yes",
      {
        command: "restore",
        common: { ...common, yes: true },
        options: { dump: "latest", inPlace: true, upgrade: false },
      },
    ],
    [
      "restore --dump latest --for cloud-sql --into-database openemr",
      {
        command: "restore",
        common,
        options: { dump: "latest", intoDatabase: "openemr", inPlace: false, platform: "cloud-sql", upgrade: false },
      },
    ],
    ["drill", { command: "drill", common, options: { dump: "latest" } }],
    [`drill --dump ${dumpId}`, { command: "drill", common, options: { dump: dumpId } }],
    ["check", { command: "check", common, options: { level: "objects", verified: false } }],
    [
      "check --level read-data --share 3/7",
      { command: "check", common, options: { level: "read-data", share: "3/7", verified: false } },
    ],
    [
      "check destination --config c.json",
      { command: "check destination", common: { ...common, config: "/work-dir/c.json" }, options: {} },
    ],
    ["retention --dry-run", { command: "retention", common: { ...common, dryRun: true }, options: {} }],
    ["config check", { command: "config check", common, options: { deep: false, secrets: false } }],
    ["config check --secrets", { command: "config check", common, options: { deep: false, secrets: true } }],
  ])("%s is understood", (line, expected) => {
    expect(parse(line)).toEqual(expected);
  });

  it.each<[string, string, RegExp]>([
    ["", "", /type a command/],
    ["config", "", /type a command/],
    ["chek", "", /unknown command 'chek'.*Did you mean check/],
    ["check destinations", "", /too many arguments/],
    ["dump now", "", /too many arguments/],
    ["dump --jsn", "--jsn", /unknown option '--jsn'.*Did you mean --json/],
    ["--config c.json dump", "--config", /unknown option/],
    ["dump --into-database x", "--into-database", /unknown option/],
    ["dumps --dry-run", "--dry-run", /unknown option/],
    ["dump --config", "--config", /argument missing/],
    ["dump --config=", "--config", /has an empty value/],
    ["dump --config --json", "--config", /lacks its value/],
    ["dump --config a.json --config b.json", "--config", /is given twice/],
    ["dump --installation ../clinic", "--installation", /expected 1 to 63 lower-case letters/],
    ["dump --installation Clinic", "--installation", /expected 1 to 63 lower-case letters/],
    ["dump --json=yes", "--json", /does not take an argument|unknown option/],
    [`restore ${into}`, "--dump", /is missing; use latest/],
    [`restore --dump yesterday ${into}`, "--dump", /expected latest or a dump's identifier/],
    [`restore --dump ../x ${into}`, "--dump", /expected latest or a dump's identifier/],
    [`restore --dump ${dumpId.toLowerCase()} ${into}`, "--dump", /expected latest or a dump's identifier/],
    ["restore --dump latest", "--into-database", /is missing; name a new schema/],
    ["restore --dump latest --into-database x", "--into-sites", /is missing; name a new directory/],
    ["restore --dump latest --into-sites x", "--into-database", /is missing; name a new schema/],
    ["restore --dump latest --into-database a`b --into-sites x", "--into-database", /without slashes, backticks/],
    ["restore --dump latest --into-database ../x --into-sites x", "--into-database", /without slashes/],
    ["restore --dump latest --into-database mysql --into-sites x", "--into-database", /not one of the server's own/],
    ["restore --dump latest --into-database -x --into-sites x", "--into-database", /lacks its value/],
    [`restore --dump latest --in-place ${into}`, "--in-place", /leave --into-database and --into-sites out/],
    [`restore --dump latest ${into} --for lightsail`, "--for", /expected ecs, compose, kubernetes, host or cloud-sql/],
    [`restore --dump latest ${into} --for cloud-sql`, "--for", /leave --in-place and --into-sites out/],
    ["restore --dump latest --for cloud-sql", "--into-database", /is missing/],
    ["config check --deep --secrets", "--secrets", /excludes --deep/],
    ["config check --dry-run", "--dry-run", /needs --deep/],
    ["config check --secrets --dry-run", "--dry-run", /needs --deep/],
    ["check --level deep", "--level", /expected objects, read-data or drill/],
    ["check --share 1/2", "--share", /goes with --level read-data/],
    ["check --verified", "--verified", /goes with --max-age/],
    ["check --max-age 26", "--max-age", /expected a number of minutes, hours or days, such as 90m, 26h or 8d/],
    ["check --max-age 0h", "--max-age", /expected a number of minutes/],
    ["check --max-age 26h --level drill", "--max-age", /leave --level out/],
    ["check --max-age 26h --share 1/7", "--share", /goes with --level read-data/],
    ["dump --metrics openemr-ops.txt", "--metrics", /ends in \.prom/],
    ["dumps --metrics a.prom", "--metrics", /unknown option/],
    ["check --level read-data --share 0/2", "--share", /expected n\/m/],
    ["check --level read-data --share 3/2", "--share", /expected n\/m/],
    ["check --level read-data --share 50%", "--share", /expected n\/m/],
    ["check --level read-data --share 1/2/3", "--share", /expected n\/m/],
    ["drill --dump", "--dump", /argument missing/],
    ["retention --keep-last 3", "--keep-last", /unknown option/],
  ])("%s is refused under its option's name", (line, path, says) => {
    const issues = issuesOf(line.split(" ").filter(Boolean));
    expect(issues.map((issue) => issue.path)).toContain(path);
    expect(issues.find((issue) => issue.path === path)?.message).toMatch(says);
  });

  it("names all that a restore lacks at once", () => {
    expect(issuesOf(["restore"]).map(({ path }) => path)).toEqual(["--dump", "--into-database", "--into-sites"]);
  });

  it("does not repeat what may be a password in an option that it does not know", () => {
    expect(JSON.stringify(issuesOf(["dump", "--password=hunter2"]))).not.toContain("hunter2");
  });

  it("refuses a line break in a name", () => {
    expect(issuesOf(["dump", "--installation", "a\nb"])[0]?.path).toBe("--installation");
    expect(issuesOf(["dump", "--config", "a\nb"])[0]?.path).toBe("--config");
  });

  it("is either understood or refused by name, whatever it says", () => {
    const word = fc.oneof(
      fc.constantFrom(
        "dump",
        "restore",
        "check",
        "destination",
        "--json",
        "--config",
        "--dump",
        "latest",
        "--share",
        "--",
        "-",
        "help",
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (argv) => {
        try {
          const invocation = parseArguments(argv, context);
          expect("text" in invocation ? invocation.text : invocation.command.name).toBeTypeOf("string");
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidInputError);
        }
      }),
    );
  });
});

describe("help", () => {
  it.each([
    ["--help", /Commands:[\s\S]*dump[\s\S]*restore[\s\S]*retention/],
    ["help", /Commands:/],
    ["dump --help", /--force-new-repository[\s\S]*Examples:[\s\S]*openemr-ops dump/],
    ["dumps --help", /newest first[\s\S]*Examples:/],
    ["restore --help", /--into-database <name>[\s\S]*Examples:[\s\S]*--in-place --dry-run/],
    ["help restore", /--into-sites <directory>/],
    ["drill --help", /scratch schema[\s\S]*Examples:/],
    ["check --help", /--level <level>[\s\S]*destination[\s\S]*Examples:/],
    ["check destination --help", /scratch object[\s\S]*Examples:/],
    ["retention --help", /--dry-run[\s\S]*Examples:/],
    ["config check --help", /write nothing, unless with --deep[\s\S]*no trial objects[\s\S]*Examples:/],
    ["--version", /^1\.2\.3\n$/],
  ])("of %s says what can be typed", (line, says) => {
    const invocation = parse(line);
    expect("text" in invocation && invocation.text).toMatch(says);
  });

  it.each(commands.flatMap(({ name, examples }) => examples.map((example) => [name, example] as const)))(
    "of %s shows only examples that can be typed: %s",
    (name, example) => {
      const words = [...example.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
      const invocation = parseArguments(words, context);
      expect("command" in invocation && invocation.command.name).toMatch(new RegExp(`^${name}( |$)`));
    },
  );

  it("gives each command its name, a summary and examples", () => {
    expect(new Set(commands.map(({ name }) => name)).size).toBe(commands.length);
    for (const { name, summary, examples } of commands) {
      expect(summary, name).toMatch(/\.$/);
      expect(examples.length, name).toBeGreaterThan(0);
    }
  });
});
