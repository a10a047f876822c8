import { resolve } from "node:path";
import { toSecretReference } from "@openemr-ops/core/config/secrets";
import type { InputIssue } from "@openemr-ops/core/errors";
import { stepsInWords } from "@openemr-ops/task/programs/users";
import type { SetUpAdministrator, SetUpRequest } from "@openemr-ops/task/setUp/request";
import type { SetUpResult } from "@openemr-ops/task/setUp/setUp";
import { type CommonOptionsTaken, usualAndDryRun } from "../commonOptions.ts";
import { type CommandSurroundings, defineCommand } from "../defineCommand.ts";
import { type Asked, flag, optional, withDefault } from "../options.ts";
import { aChoice, aHost, aMailbox, anInstallation, aPath, aPort, aText, aUser } from "../optionValues.ts";
import { nothing, type Shown, shown } from "../shown.ts";
import { renderTable } from "../table.ts";
import { confirm } from "./context.ts";

const options = {
  sites: optional("--sites <directory>", "OpenEMR's sites directory (default: where it usually is)", aPath),
  directory: withDefault("--directory <directory>", "where the configuration goes", aPath, "/etc/openemr-ops"),
  destination: withDefault(
    "--destination <url>",
    "where dumps go: a directory, s3://… or gs://…",
    aText,
    "file:///var/backups/openemr-ops",
  ),
  state: withDefault("--state <directory>", "where the program keeps its state", aPath, "/var/lib/openemr-ops"),
  host: optional("--database-host <name>", "the database server (default: that of sqlconf.php)", aHost),
  port: optional("--database-port <number>", "its port (default: that of sqlconf.php)", aPort),
  tls: optional(
    "--tls <mode>",
    "off, required or verify (default: required, if the server has TLS)",
    aChoice(["off", "required", "verify"]),
  ),
  caFile: optional("--ca-file <file>", "authorities to trust, PEM; the server's certificate is checked", aPath),
  administrator: optional(
    "--administrator <user>",
    "who makes the database users (default: nobody; the SQL is written to a file)",
    aUser,
  ),
  administratorPassword: optional(
    "--administrator-password <secret>",
    "that user's password: a file or env:NAME",
    aText,
  ),
  administratorSocket: optional(
    "--administrator-socket <file>",
    "log that user in through this socket of the server",
    aPath,
  ),
  systemd: flag("--systemd", "install systemd's units, and start their timers"),
  cron: flag("--cron", "install a crontab and a configuration of logrotate"),
  mailTo: optional("--mail-to <address>", "who gets a mail when a job fails, through sendmail", aMailbox),
  root: withDefault(
    "--root <directory>",
    "the root directory for --systemd and --cron, such as that of an image",
    aPath,
    "/",
  ),
  program: withDefault("--program <file>", "the command for --systemd and --cron", aPath, "/usr/local/bin/openemr-ops"),
};
type Options = Asked<typeof options>;

/** Of an installation for which no name was given. */
const usualName = "openemr";

const problems = (asked: Partial<Options>): readonly InputIssue[] => {
  const issues: InputIssue[] = [];
  const refuse = (path: string, message: string) => issues.push({ path, message });
  if (asked.systemd && asked.cron) refuse("--cron", "excludes --systemd; choose one");
  if (asked.mailTo !== undefined && !asked.systemd && !asked.cron)
    refuse("--mail-to", "is for --systemd or --cron; choose one");
  for (const [name, path] of [
    ["administratorPassword", "--administrator-password"],
    ["administratorSocket", "--administrator-socket"],
  ] as const)
    if (asked[name] !== undefined && asked.administrator === undefined)
      refuse(path, "needs --administrator, which is missing");
  if (asked.administrator !== undefined && !asked.administratorPassword && !asked.administratorSocket)
    refuse("--administrator-password", "is missing; name a file or env:NAME, or --administrator-socket");
  if (asked.tls === "off" && asked.caFile !== undefined) refuse("--ca-file", "has no use with --tls off");
  return issues;
};

/** Who makes the database users, as the options say. */
const administratorOf = async (
  { environment, cwd }: CommandSurroundings,
  { administrator: user, administratorPassword, administratorSocket: socket }: Options,
): Promise<SetUpAdministrator | undefined> => {
  if (user === undefined) return undefined;
  if (administratorPassword === undefined) return { user, socket, password: async () => "" };
  const { openSecrets } = await import("@openemr-ops/task/openSecrets");
  const reference = toSecretReference(administratorPassword, "administratorPassword", cwd);
  return { user, socket, password: () => openSecrets(environment)(reference) };
};

interface Named extends Options {
  readonly installation: string;
}

/** Questions for what was not given; an empty answer takes what is proposed. */
const interview = async (
  { prompt, common, cwd }: CommandSurroundings,
  given: Named,
): Promise<{ readonly asked: Named; readonly administrator?: SetUpAdministrator }> => {
  const { hasConfiguration } = await import("@openemr-ops/task/setUp/setUp");
  if (!prompt || common.yes || common.json || hasConfiguration(given.directory)) return { asked: given };
  const { findSites, serverSocket } = await import("@openemr-ops/task/setUp/findOpenEmr");
  const question = async (text: string, proposed?: string): Promise<string> =>
    (await prompt(proposed === undefined ? `${text}: ` : `${text} [${proposed}]: `)) || (proposed ?? "");
  const sites = given.sites ?? (await question("OpenEMR's sites directory", await findSites()));
  const installation = await question("What the installation is called", given.installation);
  const destination = await question("Where dumps go (a directory, s3://…, gs://…)", given.destination);
  const asked = { ...given, ...(sites ? { sites: resolve(cwd, sites) } : {}), installation, destination };
  if (given.administrator !== undefined) return { asked };
  const user = await question("Who may create database users (- for nobody: the SQL is written to a file)", "root");
  if (user === "-") return { asked };
  const socket = await serverSocket();
  const how = socket === undefined ? "" : ` (empty: log in through ${socket})`;
  const password = await prompt(`The password of ${user}${how}: `, { hidden: true });
  return { asked, administrator: { user, password: async () => password, ...(password === "" ? { socket } : {}) } };
};

const requestOf = (asked: Named, administrator: SetUpAdministrator | undefined): SetUpRequest => {
  const { systemd, cron, mailTo, root, program } = asked;
  const { installation, sites, directory, destination, state, host, port, tls, caFile } = asked;
  const by = systemd ? "systemd" : cron ? "cron" : undefined;
  return {
    installation,
    sites,
    directory,
    destination,
    state,
    host,
    port,
    tls,
    caFile,
    administrator,
    ...(by ? { schedule: { by, mailTo, root, program } } : {}),
  };
};

const actions = {
  create: ["would be written", "written"],
  replace: ["would be replaced", "replaced"],
  keep: ["exists, is kept", "exists, was kept"],
  same: ["is as it should be", "is as it should be"],
} as const;

const textsOf = ({ files }: SetUpResult): readonly Shown[] =>
  files.flatMap(({ path, text = "" }) =>
    text === ""
      ? []
      : [
          shown`\n${path}:\n${text
            .trimEnd()
            .split("\n")
            .map((line) => shown`  ${line}\n`)}`,
        ],
  );

const describe = (result: SetUpResult): Shown => {
  const { dryRun, openemr, files, users, ran, warnings, next } = result;
  const index = dryRun ? 0 : 1;
  return shown`${[
    openemr
      ? shown`OpenEMR in ${openemr.sitesPath} (${openemr.sites.join(", ")}), database ${openemr.database.name} on ${openemr.database.host}:${openemr.database.port} (${openemr.server.product} ${openemr.server.version}, TLS ${openemr.database.tls})\n`
      : nothing,
    renderTable(
      ["file", "mode", dryRun ? "would be done" : "done"],
      files.map(({ path, mode, action }) => [path, mode, actions[action][index]]),
    ),
    users.length > 0
      ? renderTable(
          ["for", "user", dryRun ? "would be done" : "done"],
          users.map((one) => [one.role, one.user, stepsInWords(one, dryRun)]),
        )
      : nothing,
    ran.length > 0 ? shown`${dryRun ? "Would run" : "Ran"}:\n${ran.map((line) => shown`  ${line}\n`)}` : nothing,
    ...textsOf(result),
    ...warnings.map((warning) => shown`warning: ${warning}\n`),
    next.length > 0 ? shown`Next:\n${next.map((line) => shown`  ${line}\n`)}` : nothing,
  ]}`;
};

const init = async (surroundings: CommandSurroundings, given: Options): Promise<void> => {
  const { common, output, environment, signal } = surroundings;
  const { setUp } = await import("@openemr-ops/task/setUp/setUp");
  const { asked, administrator = await administratorOf(surroundings, given) } = await interview(surroundings, {
    ...given,
    installation: common.installation ?? usualName,
  });
  const request = requestOf(asked, administrator);
  if (!common.dryRun && surroundings.ask && !common.yes && !common.json) {
    const plan = await setUp(request, { dryRun: true, environment, signal });
    output.plan(
      "Set up",
      plan.files.map(({ path, action }) => [path, actions[action][0]]),
    );
    await confirm(surroundings, "Write this?");
  }
  const result = await setUp(request, { dryRun: common.dryRun, environment, signal });
  output.result(result, () => describe(result));
};

/** It makes the configuration, and the installation's name is part of that. */
const { config: _config, ...others } = usualAndDryRun;
const common: CommonOptionsTaken = {
  ...others,
  installation: optional("--installation <id>", `what it is called (default: ${usualName})`, anInstallation),
};

export const command = defineCommand({
  name: "init",
  summary: "Set this machine up: configuration, passwords, database users, systemd's units or a crontab.",
  common,
  options,
  examples: [
    "init",
    "init --sites /var/www/openemr/sites --systemd --mail-to admin@clinic.example --dry-run",
    "init --yes --administrator root --administrator-socket /run/mysqld/mysqld.sock --cron",
  ],
  problems,
  run: init,
});
