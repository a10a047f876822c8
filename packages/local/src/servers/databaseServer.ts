import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mysql from "mysql2/promise";
import { type ChildServer, startChildServer } from "./childServer.ts";
import { freePort } from "./freePort.ts";
import { makeTlsMaterial } from "./tlsMaterial.ts";

/** Where a database server listens and who may do everything there. */
export interface ServerAddress {
  readonly product: "MariaDB" | "MySQL";
  readonly host: string;
  readonly port: number;
  /** Path of the Unix socket. */
  readonly socket: string;
  readonly user: string;
  readonly password: string;
  /** Set where the server takes no connection over TCP without TLS: PEM file of its certificate's authority. */
  readonly caFile?: string;
}

/** One row as mysql2 gives it, dates and decimals as strings. */
export type Row = Readonly<Record<string, unknown>>;

/** A database server of our own. */
export interface DatabaseServer extends ServerAddress {
  readonly pid: number;
  /** Runs one statement as root; rows for a SELECT, nothing for the rest. `?` in the text takes `values` in order. */
  query(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** Makes an empty schema, utf8mb4_general_ci as OpenEMR has it. */
  createSchema(name: string): Promise<void>;
  /** Shuts the server down; the data directory stays and can be started again. Safe to repeat. */
  stop(): Promise<void>;
  /** SIGKILL, as when the machine loses power. Safe to repeat. */
  kill(): Promise<void>;
}

export interface ServerSettings {
  /** Its data directory lies here, made on first use. */
  readonly directory: string;
  /** Options for the server, which win over ours. */
  readonly extraArguments?: readonly string[];
  /** Takes connections over TCP with TLS alone. */
  readonly tls?: boolean;
}

/** What differs from product to product. */
export interface ServerProgram {
  readonly product: ServerAddress["product"];
  readonly command: string;
  readonly makeDataDirectory: (datadir: string) => void;
  readonly arguments: readonly string[];
}

/** The value as a literal of SQL. */
export const sqlString = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
/** The name as a quoted identifier of SQL. */
export const sqlName = (name: string): string => `\`${name.replaceAll("`", "``")}\``;

export const asRoot = (): readonly string[] => (process.getuid?.() === 0 ? ["--user=root"] : []);

/** Statements for the server's own start: root by password alone, over TCP and over the socket. */
const rootStatements = (password: string): string =>
  ["localhost", "127.0.0.1"]
    .flatMap((host) => [
      `CREATE USER IF NOT EXISTS root@'${host}';`,
      `ALTER USER root@'${host}' IDENTIFIED BY ${sqlString(password)};`,
      `GRANT ALL PRIVILEGES ON *.* TO root@'${host}' WITH GRANT OPTION;`,
    ])
    .join("\n");

const startOn = async (
  port: number,
  { command, arguments: own }: ServerProgram,
  {
    directory,
    socket,
    password,
    pool,
    extraArguments,
  }: {
    directory: string;
    socket: string;
    password: string;
    pool: mysql.Pool;
    extraArguments: readonly string[];
  },
): Promise<ChildServer> => {
  const initFile = join(directory, "init.sql");
  writeFileSync(initFile, `${rootStatements(password)}\n`, { mode: 0o600 });
  try {
    return await startChildServer({
      command,
      args: [
        "--no-defaults",
        ...asRoot(),
        `--datadir=${join(directory, "data")}`,
        `--tmpdir=${directory}`,
        `--socket=${socket}`,
        `--pid-file=${join(directory, "server.pid")}`,
        `--init-file=${initFile}`,
        "--bind-address=127.0.0.1",
        `--port=${port}`,
        "--skip-name-resolve",
        "--character-set-server=utf8mb4",
        "--collation-server=utf8mb4_general_ci",
        "--innodb-buffer-pool-size=128M",
        "--innodb-use-native-aio=0",
        "--performance-schema=OFF",
        "--max-allowed-packet=1G",
        "--local-infile=ON",
        ...own,
        ...extraArguments,
      ],
      env: { PATH: "/usr/bin:/bin" },
      logFile: join(directory, "server.log"),
      ready: () => pool.query("SELECT 1"),
    });
  } finally {
    rmSync(initFile, { force: true });
  }
};

/**
 * Starts a server on a data directory below `directory`, made on first use: own port on 127.0.0.1, own socket, root by a
 * fresh random password. Its settings are small; durability is the product's default.
 *
 * @throws {ToolFailedError} fatal: the server did not start; the message ends with its log
 */
export const startDatabaseServer = async (
  program: ServerProgram,
  { directory, extraArguments = [], tls = false }: ServerSettings,
): Promise<DatabaseServer> => {
  mkdirSync(directory, { recursive: true });
  program.makeDataDirectory(join(directory, "data"));
  const material = tls ? makeTlsMaterial(join(directory, "tls")) : undefined;
  // A socket's path may hold 107 bytes, a directory's path more.
  const socketDirectory = mkdtempSync(join(tmpdir(), "dbserver-"));
  const socket = join(socketDirectory, "sock");
  const password = randomBytes(18).toString("base64url");

  const attempt = async (triesLeft: number): Promise<{ port: number; pool: mysql.Pool; server: ChildServer }> => {
    const port = await freePort();
    const pool = mysql.createPool({
      socketPath: socket,
      user: "root",
      password,
      connectionLimit: 4,
      dateStrings: true,
      supportBigNumbers: true,
      charset: "utf8mb4",
    });
    try {
      const server = await startOn(port, program, {
        directory,
        socket,
        password,
        pool,
        extraArguments: [
          ...(material ? [...material.serverArguments, "--require-secure-transport=ON"] : []),
          ...extraArguments,
        ],
      });
      return { port, pool, server };
    } catch (error) {
      await pool.end();
      if (triesLeft > 0 && error instanceof Error && error.message.includes("Address already in use")) {
        return attempt(triesLeft - 1);
      }
      rmSync(socketDirectory, { recursive: true, force: true });
      throw error;
    }
  };
  const { port, pool, server } = await attempt(3);

  const query = async (sql: string, values: readonly unknown[] = []): Promise<readonly Row[]> => {
    const [rows] = await pool.query(sql, [...values]);
    return Array.isArray(rows) ? (rows as Row[]) : [];
  };
  let poolEnded: Promise<void> | undefined;
  const end = async (how: () => Promise<void>): Promise<void> => {
    poolEnded ??= pool.end().catch(() => undefined);
    await poolEnded;
    await how();
    rmSync(socketDirectory, { recursive: true, force: true });
  };
  return {
    product: program.product,
    host: "127.0.0.1",
    port,
    socket,
    user: "root",
    password,
    ...(material ? { caFile: material.caFile } : {}),
    pid: server.pid,
    query,
    createSchema: async (name) => {
      await query(`CREATE DATABASE ${sqlName(name)} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`);
    },
    stop: () => end(server.stop),
    kill: () => end(server.kill),
  };
};
