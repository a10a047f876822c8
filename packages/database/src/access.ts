import { readFileSync } from "node:fs";

/** How to reach one schema. */
export interface DatabaseAccess {
  readonly host: string;
  readonly port: number;
  /** Path of the Unix socket on which a server of our own listens, in place of host and port. */
  readonly socket?: string | undefined;
  readonly name: string;
  readonly user: string;
  /** Reads it, for whoever logs in; nobody else ever holds it. */
  readonly password: () => Promise<string>;
  /** `required` encrypts, `verify` also checks the server's certificate and name. */
  readonly tls: "off" | "required" | "verify";
  readonly caFile?: string | undefined;
  /** Aborted while a connection is opened, it ends that. One that is opened later is to clean up, and is not hindered. */
  readonly signal?: AbortSignal | undefined;
}

/** Arguments of MariaDB's client programs; the password goes by `clientEnvironment`. */
export const clientArguments = (access: DatabaseAccess): string[] => [
  "--no-defaults",
  ...(access.socket === undefined
    ? ["--protocol=tcp", `--host=${access.host}`, `--port=${access.port}`]
    : ["--protocol=socket", `--socket=${access.socket}`]),
  `--user=${access.user}`,
  "--default-character-set=utf8mb4",
  ...(access.tls === "off" ? ["--skip-ssl"] : ["--ssl"]),
  // From 11.4 on clients check by default, or warn that they do not.
  ...(access.tls === "verify" ? ["--ssl-verify-server-cert"] : []),
  ...(access.tls === "required" ? ["--skip-ssl-verify-server-cert"] : []),
  ...(access.tls !== "off" && access.caFile ? [`--ssl-ca=${access.caFile}`] : []),
];

export const clientEnvironment = async (access: DatabaseAccess): Promise<Record<string, string>> => ({
  MYSQL_PWD: await access.password(),
});

/** The same demands for the driver. */
export const driverTls = (access: DatabaseAccess) =>
  access.tls === "off"
    ? {}
    : {
        ssl: {
          rejectUnauthorized: access.tls === "verify",
          verifyIdentity: access.tls === "verify",
          ...(access.caFile ? { ca: readFileSync(access.caFile) } : {}),
        },
      };
