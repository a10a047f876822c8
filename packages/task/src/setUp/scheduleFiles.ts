import { access, constants, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Config, Installation } from "@openemr-ops/core/config/settings";
import { type InputIssue, InvalidInputError } from "@openemr-ops/core/errors";
import type { PlannedFile } from "./plannedFile.ts";
import type { ScheduleRequest } from "./request.ts";

/** Where the files that are installed come from: a directory of the program's own. */
const packaging = join(import.meta.dirname, "../../../../packaging");

/** Who wrote it: a file without these words is somebody's own, and stays. */
const mark = 'Written by "openemr-ops init"';

/** Jobs that a machine runs by itself. */
const scheduledKinds = ["dump", "check", "drill", "retention"] as const;

/** As the files of `packaging` name them. */
const usual = {
  directory: "/etc/openemr-ops",
  program: "/usr/local/bin/openemr-ops",
  helpers: "/usr/local/lib/openemr-ops",
};

/** What needs no quotes in a unit, in a crontab and in a shell. */
const plain = /^[A-Za-z0-9_./@:+-]+$/;

const installationsWithDumps = ({ installations }: Config): readonly Installation[] =>
  installations.filter(({ dumps }) => dumps !== undefined);

/** Directories that the jobs of an installation write to, and those that only its drills do. */
const writtenBy = ({ stateDirectory }: Config, { dumps }: Installation) => {
  const stores = dumps ? [dumps.destination, ...dumps.copies.map(({ destination }) => destination)] : [];
  const directories = stores.flatMap((store) => (store.kind === "file" ? [store.directory] : []));
  const drills = dumps?.drill.directory === undefined ? [] : [dumps.drill.directory];
  return { all: [stateDirectory, ...directories], drills };
};

/** Every directory that the jobs of a configuration write to. A unit does not start while one of its own is absent. */
export const writtenPaths = (config: Config): readonly string[] => {
  const each = installationsWithDumps(config).map((one) => writtenBy(config, one));
  return [...new Set(each.flatMap(({ all, drills }) => [...all, ...drills]))];
};

/** @throws {InvalidInputError} fatal: names the paths that would need quotes, and a program that is not there */
const assertSchedulable = async (
  config: Config,
  directory: string,
  { by, program, root }: ScheduleRequest,
): Promise<void> => {
  const issues: InputIssue[] = [];
  const look = (field: string, path: string) => {
    if (plain.test(path)) return;
    issues.push({
      path: field,
      message: `${path} has characters that ${by} takes for more than a name; expected letters, digits and . _ / @ : + -`,
    });
  };
  look("directory", directory);
  look("program", program);
  look("state", config.stateDirectory);
  for (const path of writtenPaths(config)) if (path !== config.stateDirectory) look("destination", path);
  if (by === "systemd" && config.metricsFile !== undefined) look("metricsFile", dirname(config.metricsFile));
  await access(join(root, program), constants.X_OK).catch(() => {
    issues.push({
      path: "program",
      message: `${join(root, program)} is not there, or may not be run; name the command openemr-ops`,
    });
  });
  if (installationsWithDumps(config).length === 0)
    issues.push({ path: "", message: "no installation of the configuration has dumps: there is nothing to schedule" });
  if (issues.length > 0) throw new InvalidInputError(issues);
};

/** What of the system's own one job may write, beside what its unit says. A missing disk makes it fail, not write elsewhere. */
const placesOf = (config: Config, installation: Installation, kind: (typeof scheduledKinds)[number]): string => {
  const { all, drills } = writtenBy(config, installation);
  const paths = kind === "drill" ? [...all, ...drills] : all;
  const mounts = [installation.sites.path, ...paths].filter((path) => plain.test(path));
  const { metricsFile } = config;
  // Jobs run without metrics too: the unit starts where the directory is absent.
  const metrics = metricsFile === undefined ? [] : [`-${dirname(metricsFile)}`];
  return `# ${mark}, which replaces it as long as this line is here.
[Unit]
RequiresMountsFor=${mounts.join(" ")}

[Service]
ReadWritePaths=${[...new Set([...paths, ...metrics])].join(" ")}
`;
};

interface Rendering {
  readonly config: Config;
  readonly directory: string;
  readonly schedule: ScheduleRequest;
}

const rendered = async (
  { directory, schedule: { program, root } }: Rendering,
  from: string,
  to: string,
  {
    mode = 0o644,
    change = (text) => text,
  }: { readonly mode?: number; readonly change?: (text: string) => string } = {},
): Promise<PlannedFile> => {
  const text = await readFile(join(packaging, from), "utf8");
  const own = change(text.replaceAll(usual.program, program).replaceAll(usual.directory, directory));
  return { path: join(root, to), mode, text: () => own, mark };
};

const helper = (rendering: Rendering, name: string): Promise<PlannedFile> =>
  rendered(rendering, `libexec/${name}`, join(usual.helpers, name), { mode: 0o755 });

const unitsDirectory = "/etc/systemd/system";

/** The units, one of each kind for all installations, and for each installation what its jobs may write. */
const systemdFiles = async (rendering: Rendering): Promise<readonly PlannedFile[]> => {
  const { config, directory, schedule } = rendering;
  const units = ["openemr-ops-failed@.service"].concat(
    scheduledKinds.flatMap((kind) => [`openemr-ops-${kind}@.service`, `openemr-ops-${kind}@.timer`]),
  );
  const places = installationsWithDumps(config).flatMap((installation) =>
    scheduledKinds.map((kind): PlannedFile => {
      const text = placesOf(config, installation, kind);
      const folder = `openemr-ops-${kind}@${installation.id}.service.d`;
      return { path: join(schedule.root, unitsDirectory, folder, "places.conf"), mode: 0o644, text: () => text, mark };
    }),
  );
  const { mailTo } = schedule;
  const mail: readonly PlannedFile[] =
    mailTo === undefined
      ? []
      : [
          {
            path: join(schedule.root, directory, "mail.env"),
            mode: 0o644,
            text: () => `# ${mark}\nMAILTO=${mailTo}\n`,
            mark,
          },
        ];
  return [
    await helper(rendering, "report-failure"),
    ...mail,
    ...(await Promise.all(units.map((unit) => rendered(rendering, `systemd/${unit}`, join(unitsDirectory, unit))))),
    ...places,
  ];
};

/** A line of the crontab with a mark in it becomes one for each installation. */
const cronFiles = async (rendering: Rendering): Promise<readonly PlannedFile[]> => {
  const { config, schedule } = rendering;
  const change = (text: string): string =>
    text
      .split("\n")
      .flatMap((line) =>
        line.includes("@installation@")
          ? installationsWithDumps(config).map(({ id }) => line.replace("@installation@", id))
          : [line],
      )
      .join("\n")
      .replace("MAILTO=root", `MAILTO=${schedule.mailTo ?? "root"}`);
  return [
    await helper(rendering, "run-logged"),
    await rendered(rendering, "logrotate/openemr-ops", "/etc/logrotate.d/openemr-ops"),
    await rendered(rendering, "cron/openemr-ops", "/etc/cron.d/openemr-ops", { change }),
  ];
};

/** Timers of the installations, as `systemctl` names them. */
export const timersOf = (config: Config): readonly string[] =>
  installationsWithDumps(config).flatMap(({ id }) => scheduledKinds.map((kind) => `openemr-ops-${kind}@${id}.timer`));

/**
 * The files that make a machine run the jobs of a configuration by itself.
 *
 * @param directory that of the configuration
 * @throws {InvalidInputError} fatal
 */
export const scheduleFiles = async (
  config: Config,
  directory: string,
  schedule: ScheduleRequest,
): Promise<readonly PlannedFile[]> => {
  await assertSchedulable(config, directory, schedule);
  const rendering = { config, directory, schedule };
  return schedule.by === "systemd" ? systemdFiles(rendering) : cronFiles(rendering);
};
