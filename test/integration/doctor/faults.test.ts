import { cp, mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqlName } from "@openemr-ops/local/servers/databaseServer";
import { startVersityGateway } from "@openemr-ops/local/servers/versitygw";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { patientCanary } from "../../support/aClinic.ts";
import { anExaminedClinic, type Changeable, type ExaminedClinic } from "../../support/examinedClinic.ts";
import { aRepositoryPassword } from "../../support/quickRepository.ts";
import { smallFileSystem } from "../../support/smallFileSystem.ts";

let directory: string;
let here: ExaminedClinic;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-doctor-"));
  here = await anExaminedClinic(directory);
});
afterAll(async () => {
  await here?.remove();
  await rm(directory, { recursive: true, force: true });
});

type Undo = () => PromiseLike<unknown>;

/** One thing that is broken, and the job that fails for it. */
interface Fault {
  readonly what: string;
  /** The command that fails, and the name of its error. */
  readonly job: readonly string[];
  readonly error: string;
  /** The field that the doctor names, below the installation; `none` where no field can help. */
  readonly field: string;
  /** Breaks it: in the configuration, its variables, or on the machine. Returns what puts it right again. */
  readonly make: (config: Changeable, environment: Record<string, string>) => Promise<Undo> | Promise<void>;
  /** Trials at destinations take seconds: only where the fault is there. */
  readonly trials?: boolean;
}

const canary = "canary-wrong-9e41";
const restore = ["restore", "--dump", "latest"];
const ofDump = () => `${sqlName(here.clinic.schema.dumpUser.user)}@'%'`;
const ofRestore = () => `${sqlName(here.clinic.schema.restoreUser.user)}@'%'`;
const schemaPattern = () => sqlName(here.clinic.schema.name);
const below = (name: string) => join(here.clinic.directory, name);
const wrong = (variable: string) => async (_: Changeable, environment: Record<string, string>) => {
  environment[variable] = canary;
};
/** A statement, and the one that takes it back. */
const statement = (sql: () => string, back: () => string) => async (): Promise<Undo> => {
  await here.server.query(sql());
  return () => here.server.query(back());
};
/** A directory that cannot be made: a file is in its place. */
const inTheWay = async (name: string): Promise<string> => {
  await writeFile(below(name), "a file");
  return join(below(name), "directory");
};
/** Dumps in the format that no other program writes: its trials are quick. */
const asPortable = ({ installations: [installation] }: Changeable): void => {
  const { drill, retention } = installation.dumps;
  installation.dumps = { format: "portable", destination: `file://${below("portable")}`, drill, retention };
};
const aProgram = async (name: string, script: string): Promise<string> => {
  await writeFile(below(name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return below(name);
};

const sites: readonly Fault[] = [
  {
    what: "a sites directory that does not exist",
    job: ["dump"],
    error: "SourceUnreadableError",
    field: "sites.path",
    make: async (config) => {
      config.installations[0].sites.path = below("absent");
    },
  },
  {
    what: "a sites directory without a site, as a volume that is not mounted leaves it",
    job: ["dump"],
    error: "SourceLayoutError",
    field: "sites.path",
    make: async (config) => {
      config.installations[0].sites.path = below("empty");
      await mkdir(below("empty"), { recursive: true });
    },
  },
  {
    what: "documents behind a link that leads outside",
    job: ["dump"],
    error: "SourceLayoutError",
    field: "sites.path",
    make: async () => {
      const documents = join(here.clinic.sitesPath, "default/documents");
      await rename(documents, below("elsewhere"));
      await symlink(below("elsewhere"), documents);
      return async () => {
        await unlink(documents);
        await rename(below("elsewhere"), documents);
      };
    },
  },
];

const databases: readonly Fault[] = [
  {
    what: "a wrong password of the dump user",
    job: ["dump"],
    error: "DatabaseAccessDeniedError",
    field: "database.password",
    make: wrong("DUMP_USER_PASSWORD"),
  },
  {
    what: "a wrong password of the restore user",
    job: restore,
    error: "DatabaseAccessDeniedError",
    field: "database.restore.password",
    make: wrong("RESTORE_USER_PASSWORD"),
  },
  {
    what: "a wrong password of the drill user",
    job: ["drill"],
    error: "DatabaseAccessDeniedError",
    field: "dumps.drill.database.password",
    make: wrong("DRILL_USER_PASSWORD"),
  },
  {
    what: "a port where no server listens",
    job: ["dump"],
    error: "DatabaseUnavailableError",
    field: "database.host",
    make: async (config) => {
      config.installations[0].database.port = 1;
    },
  },
  {
    what: "a host name that nobody knows",
    job: ["dump"],
    error: "DatabaseUnavailableError",
    field: "database.host",
    make: async (config) => {
      config.installations[0].database.host = "database.invalid";
    },
  },
  {
    what: "a schema that does not exist",
    job: ["dump"],
    error: "DatabaseAccessDeniedError",
    field: "database.name",
    make: async (config) => {
      config.installations[0].database.name = `${here.clinic.schema.name}x`;
    },
  },
  {
    what: "a server without TLS where the configuration requires it",
    job: ["dump"],
    error: "DatabaseAccessDeniedError",
    field: "database.tls",
    make: async (config) => {
      const { host, port } = inject("server");
      Object.assign(config.installations[0].database, { host, port, tls: "required", caFile: undefined });
    },
  },
  {
    what: "a user who needs TLS where the configuration has none",
    job: ["dump"],
    error: "DatabaseAccessDeniedError",
    field: "database.tls",
    make: async (config) => {
      Object.assign(config.installations[0].database, { tls: "off", caFile: undefined });
      await here.server.query(`ALTER USER ${ofDump()} REQUIRE SSL`);
      return () => here.server.query(`ALTER USER ${ofDump()} REQUIRE NONE`);
    },
  },
  {
    what: "a server that takes no connection without TLS where the configuration has none",
    job: ["dump"],
    error: "DatabaseAccessDeniedError",
    field: "database.tls",
    make: async (config) => {
      Object.assign(config.installations[0].database, { tls: "off", caFile: undefined });
      await here.server.query("SET GLOBAL require_secure_transport = ON");
      return () => here.server.query("SET GLOBAL require_secure_transport = OFF");
    },
  },
  {
    what: "a certificate of an authority that is not trusted",
    job: ["dump"],
    error: "DatabaseAccessDeniedError",
    field: "database.caFile",
    make: async (config) => {
      Object.assign(config.installations[0].database, { tls: "verify", caFile: undefined });
    },
  },
  {
    what: "a dump user who may not read the rows",
    job: ["dump"],
    error: "DatabaseAccessDeniedError",
    field: "database.user",
    make: statement(
      () => `REVOKE SELECT ON ${schemaPattern()}.* FROM ${ofDump()}`,
      () => `GRANT SELECT ON ${schemaPattern()}.* TO ${ofDump()}`,
    ),
  },
  {
    what: "a dump user who may not hold the tables still for a moment",
    job: ["dump"],
    error: "DatabaseAccessDeniedError",
    field: "database.user",
    make: statement(
      () => `REVOKE LOCK TABLES ON ${schemaPattern()}.* FROM ${ofDump()}`,
      () => `GRANT LOCK TABLES ON ${schemaPattern()}.* TO ${ofDump()}`,
    ),
  },
  {
    what: "a restore user who may make no schema",
    job: restore,
    error: "DatabaseAccessDeniedError",
    field: "database.restore.user",
    make: statement(
      () => `REVOKE ALL PRIVILEGES ON ${sqlName(`${here.clinic.schema.name}\\_%`)}.* FROM ${ofRestore()}`,
      () => `GRANT ALL PRIVILEGES ON ${sqlName(`${here.clinic.schema.name}\\_%`)}.* TO ${ofRestore()}`,
    ),
  },
  {
    what: "a drill user without rights on the scratch schema",
    job: ["drill"],
    error: "DatabaseAccessDeniedError",
    field: "dumps.drill.database.user",
    make: statement(
      () =>
        `REVOKE ALL PRIVILEGES ON ${sqlName(`${here.clinic.schema.name}\\_drill\\_%`)}.* FROM ${sqlName(here.drillUser.user)}@'%'`,
      () =>
        `GRANT ALL PRIVILEGES ON ${sqlName(`${here.clinic.schema.name}\\_drill\\_%`)}.* TO ${sqlName(here.drillUser.user)}@'%'`,
    ),
  },
  {
    what: "a reader for exports where no server listens",
    job: ["export", "database"],
    error: "DatabaseUnavailableError",
    field: "exports.database.reader.host",
    make: async (config) => {
      const reader = { host: "127.0.0.1", port: 1 };
      config.installations[0].exports = { destination: `file://${below("exports")}`, database: { reader } };
    },
  },
  {
    what: "a wrong password of the administrator who makes users",
    job: ["users"],
    error: "DatabaseAccessDeniedError",
    field: "users.administrator",
    make: async (config, environment) => {
      config.installations[0].users = { administrator: "env:ADMINISTRATOR" };
      environment.ADMINISTRATOR = JSON.stringify({ username: here.server.user, password: canary });
    },
  },
  {
    what: "a writer that only reads",
    job: restore,
    error: "TargetUnsuitableError",
    field: "database.restore.host",
    make: async (config) => {
      delete config.installations[0].dumps.drill.database; // it would be on the same server
      config.installations[0].dumps.drill.database = "own";
      await here.server.query("SET GLOBAL read_only = ON");
      return () => here.server.query("SET GLOBAL read_only = OFF");
    },
  },
  {
    what: "a server that takes no statement as long as the longest row of a dump",
    job: restore,
    error: "TargetUnsuitableError",
    field: "database.host",
    make: async () => {
      await here.server.query("SET GLOBAL max_allowed_packet = 16384");
      return () => here.server.query("SET GLOBAL max_allowed_packet = 1073741824");
    },
  },
];

const stores: readonly Fault[] = [
  {
    what: "a wrong password of the repository",
    job: ["dump"],
    error: "RepositoryPasswordError",
    field: "dumps.password",
    make: wrong("REPOSITORY_PASSWORD"),
  },
  {
    what: "a destination that cannot be made",
    job: ["dump"],
    error: "DestinationMissingError",
    field: "dumps.destination",
    trials: true,
    make: async (config) => {
      config.installations[0].dumps.destination = `file://${await inTheWay("no-destination")}`;
      return () => unlink(below("no-destination"));
    },
  },
  {
    what: "credentials that the store refuses",
    job: ["dump"],
    error: "DestinationAccessDeniedError",
    field: "dumps.credentials",
    trials: true,
    make: async (config, environment) => {
      const { url: endpoint, region, accessKeyId, stop } = await startVersityGateway();
      asPortable(config);
      Object.assign(config.installations[0].dumps, { destination: "s3://dumps/clinic-a", endpoint, region });
      config.installations[0].dumps.credentials = "env:STORE";
      environment.STORE = JSON.stringify({ accessKeyId, secretAccessKey: canary });
      return stop;
    },
  },
  {
    what: "a repository that held dumps and is gone, as a disk that is not mounted",
    job: ["dump"],
    error: "DestinationMissingError",
    field: "dumps.destination",
    make: async () => {
      await rename(below("repository"), below("unmounted"));
      await mkdir(below("repository"));
      return async () => {
        await rm(below("repository"), { recursive: true });
        await rename(below("unmounted"), below("repository"));
      };
    },
  },
  {
    what: "a copy whose destination cannot be made",
    job: ["copy"],
    error: "DestinationMissingError",
    field: "dumps.copies[0].destination",
    trials: true,
    make: async (config) => {
      asPortable(config);
      config.installations[0].dumps.copies = [{ destination: `file://${await inTheWay("no-copy")}` }];
      return () => unlink(below("no-copy"));
    },
  },
  {
    what: "a copy's repository with another password",
    job: ["copy"],
    error: "RepositoryPasswordError",
    field: "dumps.copies[0].password",
    make: async (config, environment) => {
      await cp(below("repository"), below("copy"), { recursive: true });
      config.installations[0].dumps.copies = [{ destination: `file://${below("copy")}`, password: "env:COPY" }];
      environment.COPY = canary;
      return () => rm(below("copy"), { recursive: true });
    },
  },
  {
    what: "a destination of exports that cannot be made",
    job: ["export", "sites"],
    error: "DestinationMissingError",
    field: "exports.destination",
    trials: true,
    make: async (config) => {
      asPortable(config);
      config.installations[0].exports = { destination: `file://${await inTheWay("no-exports")}` };
      return () => unlink(below("no-exports"));
    },
  },
];

const machine: readonly Fault[] = [
  {
    what: "a state directory that cannot be made",
    job: ["dump"],
    error: "TargetUnsuitableError",
    field: "stateDirectory",
    make: async (config) => {
      config.stateDirectory = await inTheWay("no-state");
      return () => unlink(below("no-state"));
    },
  },
  {
    what: "a disk for drills that is too small",
    job: ["drill"],
    error: "DiskFullError",
    field: "dumps.drill.directory",
    make: async (config) => {
      const small = await smallFileSystem(below("small"), 1);
      config.installations[0].dumps.drill.directory = small.path;
      return () => small[Symbol.asyncDispose]();
    },
  },
  {
    what: "a restic that is too old",
    job: ["dump"],
    error: "ToolMissingError",
    field: "none",
    make: async (_, environment) => {
      environment.OPENEMR_OPS_RESTIC = await aProgram("old-restic", "echo 'restic 0.13.1 compiled with go1.18'");
    },
  },
  {
    what: "a mariadb-dump that is not installed",
    job: ["dump"],
    error: "ToolMissingError",
    field: "none",
    make: async (_, environment) => {
      environment.OPENEMR_OPS_MARIADB_DUMP = below("absent/mariadb-dump");
    },
  },
  {
    what: "a server for drills that is not installed",
    job: ["drill"],
    error: "ToolMissingError",
    field: "dumps.drill.database",
    make: async (config, environment) => {
      config.installations[0].dumps.drill.database = "own";
      environment.OPENEMR_OPS_MARIADBD = below("absent/mariadbd");
    },
  },
  {
    what: "an OpenEMR that does not answer",
    job: ["health"],
    error: "InstallationUnhealthyError",
    field: "health.url",
    make: async (config) => {
      const server = createServer((socket) => void socket.end("HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n"));
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as { readonly port: number };
      config.installations[0].health = { url: `http://127.0.0.1:${port}/` };
      return async () => void server.close();
    },
  },
];

/** The field as the doctor writes it. */
const whole = (field: string): string => {
  if (field === "none") return "";
  return field === "stateDirectory" ? field : `installations[0].${field}`;
};

let restores = 0;
/** A restore goes to a new schema and a new directory each time. */
const commandOf = (job: readonly string[]): readonly string[] => {
  if (job[0] !== "restore") return job;
  const number = restores++;
  const into = ["--into-database", `${here.clinic.schema.name}_restored${number}`];
  return [...job, ...into, "--into-sites", below(`restored${number}`)];
};

const secretsHere = () => [
  canary,
  aRepositoryPassword,
  patientCanary,
  here.drillUser.password,
  here.clinic.schema.dumpUser.password,
  here.clinic.schema.restoreUser.password,
];

/** Makes the fault, runs `work`, and puts things right again. */
const withFault = async (
  { make }: Fault,
  work: (environment: Record<string, string>) => Promise<void>,
): Promise<void> => {
  const { config, environment } = here.settings();
  const undo = await make(config, environment);
  try {
    await here.write(config);
    await work(environment);
  } finally {
    await undo?.();
  }
};

describe("the doctor", () => {
  it("finds nothing wrong where every job works", async () => {
    const { config, environment } = here.settings();
    await here.write(config);
    const { exitCode, problems, findings } = await here.doctor(environment, ["doctor", "--dry-run"]);
    expect(problems).toEqual([]);
    expect(findings.filter(({ status }) => status === "not tried").map(({ check }) => check)).toEqual(["destination"]);
    expect(exitCode).toBe(0);
    for (const job of [["drill"], commandOf(restore)])
      expect(await here.run(job, environment), job.join(" ")).toMatchObject({ exitCode: 0 });
  });

  for (const fault of [...sites, ...databases, ...stores, ...machine])
    it(`finds ${fault.what}, for which ${fault.job.join(" ")} fails, and names field ${fault.field}`, async () => {
      await withFault(fault, async (environment) => {
        const { stdout } = await here.run(commandOf(fault.job), environment);
        expect(JSON.parse(stdout)).toMatchObject({ error: { name: fault.error } });

        const { exitCode, problems, said } = await here.doctor(environment, [
          "doctor",
          ...(fault.trials ? [] : ["--dry-run"]),
        ]);
        expect(
          problems.map((one) => one.field),
          JSON.stringify(problems, undefined, 1),
        ).toEqual([whole(fault.field)]);
        expect(problems[0]?.next).toMatch(/\w{3}/);
        expect(exitCode).toBe(4);
        for (const secret of secretsHere()) expect(said).not.toContain(secret);
      });
    });
});
