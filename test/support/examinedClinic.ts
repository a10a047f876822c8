import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sqlName, sqlString } from "@openemr-ops/local/servers/databaseServer";
import { type MariaDb, startMariaDb } from "@openemr-ops/local/servers/mariadb";
import { findTool } from "@openemr-ops/local/tools/findTool";
import type { DoctorFinding } from "@openemr-ops/task/doctor/finding";
import { operations } from "@openemr-ops/task/operations";
import { aClinic, type Clinic } from "./aClinic.ts";
import { runInMemory } from "./commandLine.ts";
import { configurationFor } from "./dumpContext.ts";
import { quickRestic } from "./quickRestic.ts";

/** A configuration as a test changes it. */
// biome-ignore lint/suspicious/noExplicitAny: a test breaks any field
export type Changeable = any;

/** What one run of the command `doctor` showed. */
export interface DoctorRun {
  readonly exitCode: number;
  readonly findings: readonly DoctorFinding[];
  readonly problems: readonly DoctorFinding[];
  /** Both outputs. */
  readonly said: string;
}

/** An installation in which every job works, on a server of its own that offers TLS, and one dump of it. */
export interface ExaminedClinic {
  readonly clinic: Clinic;
  readonly server: MariaDb;
  /** Who may do everything in the scratch schemas of drills. */
  readonly drillUser: { readonly user: string; readonly password: string };
  /** Path of the configuration file that `write` writes. */
  readonly file: string;
  /** A fresh copy of the configuration and of the variables that it names. */
  settings(): { readonly config: Changeable; readonly environment: Record<string, string> };
  write(config: Changeable): Promise<void>;
  /** Runs the command line in this process, as it is. */
  run(args: readonly string[], environment: Record<string, string>, now?: () => Date): ReturnType<typeof runInMemory>;
  doctor(environment: Record<string, string>, args?: readonly string[], now?: () => Date): Promise<DoctorRun>;
  remove(): Promise<void>;
}

/** @throws when the dump fails */
export const anExaminedClinic = async (directory: string): Promise<ExaminedClinic> => {
  const server = await startMariaDb({
    directory: join(directory, "server"),
    tls: true,
    extraArguments: ["--require-secure-transport=OFF"],
  });
  const clinic = await aClinic({ server });
  const { schema } = clinic;
  const drillUser = { user: `${schema.name}_drill`, password: "canary-drill-4b1f" };
  const account = `${sqlName(drillUser.user)}@'%'`;
  await server.query(`CREATE USER ${account} IDENTIFIED BY ${sqlString(drillUser.password)}`);
  await server.query(`GRANT ALL PRIVILEGES ON ${sqlName(`${schema.name}\\_drill\\_%`)}.* TO ${account}`);
  const drill = {
    directory: join(clinic.directory, "drills"),
    database: { user: drillUser.user, password: "env:DRILL_USER_PASSWORD" },
  };
  // A scan, so that the sites have some size, and a row that is longer than others.
  await writeFile(join(clinic.sitesPath, "default/documents/12/scan"), Buffer.alloc(2 * 1024 * 1024));
  await schema.query("INSERT INTO log (comments) VALUES (REPEAT('x', 40000))");
  const written = configurationFor({
    ...clinic,
    dumps: { drill },
    restic: quickRestic(clinic.directory, findTool("restic") ?? "restic"),
    environment: { DRILL_USER_PASSWORD: drillUser.password },
  });
  const file = join(clinic.directory, "c.json");
  await mkdir(drill.directory, { recursive: true });
  const settings = () => ({ config: structuredClone(written.config), environment: { ...written.environment } });
  const write = (config: Changeable) => writeFile(file, JSON.stringify(config));
  const run: ExaminedClinic["run"] = (args, environment, now = () => new Date()) =>
    runInMemory([...args, "--config", file, "--json", "--yes"], operations, { environment, now });
  const doctor: ExaminedClinic["doctor"] = async (environment, args = ["doctor"], now) => {
    const { exitCode, stdout, stderr } = await run(args, environment, now);
    const { findings = [] } = JSON.parse(stdout) as { readonly findings?: readonly DoctorFinding[] };
    const problems = findings.filter(({ status }) => status === "problem");
    return { exitCode, findings, problems, said: stdout + stderr };
  };
  await write(written.config);
  const { exitCode, stderr } = await run(["dump"], { ...written.environment });
  if (exitCode !== 0) throw new Error(`the clinic cannot be dumped: ${stderr}`);
  const remove = async () => {
    await clinic.remove();
    await server.stop();
  };
  return { clinic, server, drillUser, file, settings, write, run, doctor, remove };
};
