import type { DatabaseServer } from "@openemr-ops/core/config/settings";
import {
  DatabaseAccessDeniedError,
  DatabaseUnavailableError,
  InvalidInputError,
  OpsError,
  SecretStoreUnavailableError,
  SecretUnreadableError,
} from "@openemr-ops/core/errors";
import type { DatabaseAccess } from "@openemr-ops/database/access";
import { connect } from "@openemr-ops/database/connection";
import { tlsFailureOf } from "@openemr-ops/database/errors";
import { databaseAccess } from "../../openContext.ts";
import { openSecrets } from "../../openSecrets.ts";
import type { Check } from "../check.ts";
import type { Examined } from "../examined.ts";
import { type CheckName, ok, problem, type Sight } from "../finding.ts";

/** A user of the configuration on a server. */
export interface Login {
  readonly name: Extract<CheckName, `${string}-login`>;
  readonly server: Pick<DatabaseServer, "host" | "port" | "tls" | "caFile">;
  readonly user: Pick<DatabaseServer, "user" | "password">;
  /** Dotted path of the object with `host`. */
  readonly hostField: string;
  /** Dotted path of the object with `tls`. */
  readonly tlsField: string;
}

/** Every login of the configuration's jobs, those of dumps first. Fields are those that a person wrote. */
export const loginsOf = ({ place: { installation }, at }: Examined): readonly Login[] => {
  const { database, dumps, exports } = installation;
  const live = `${at}.database`;
  const writer = { ...database, ...database.restore };
  const isElsewhere = writer.host !== database.host || writer.port !== database.port;
  const onWriter = {
    server: writer,
    hostField: isElsewhere ? `${live}.restore` : live,
    tlsField: live,
  };
  const drill = dumps?.drill.database;
  const reader = exports?.database.engine === "direct" ? exports.database.reader : undefined;
  const drillField = `${at}.dumps.drill.database`;
  return [
    { name: "dump-login", server: database, user: database, hostField: live, tlsField: live },
    { name: "restore-login", user: database.restore, ...onWriter },
    ...(drill && drill !== "own"
      ? [
          {
            name: "drill-login" as const,
            user: drill,
            ...(serverKey(drill) === serverKey(writer)
              ? onWriter
              : { server: drill, hostField: drillField, tlsField: drillField }),
          },
        ]
      : []),
    ...(reader
      ? [
          {
            name: "export-login" as const,
            server: { ...database, ...reader },
            user: database,
            hostField: `${at}.exports.database.reader`,
            tlsField: live,
          },
        ]
      : []),
  ];
};

const serverKey = ({ host, port, tls, caFile = "" }: Login["server"]): string => `${host}:${port} ${tls} ${caFile}`;

/** The check that reaches the server of a login. */
export const serverId = (login: Login): string => `database-server ${serverKey(login.server)}`;

/** @param schema not set: none */
export const accessFor = (
  { place: { environment } }: Examined,
  { server, user }: Login,
  signal: AbortSignal,
  schema = "information_schema",
): DatabaseAccess => ({ ...databaseAccess(server, schema, user, openSecrets(environment)), signal });

const isLocal = (host: string): boolean => /^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host);

const plainTextStep = (host: string, field: string): string =>
  isLocal(host)
    ? `set ${field} to "off": the connection does not leave this machine`
    : `give the server a certificate, which MariaDB 11.4 and MySQL make by themselves; ${field} "off" would send patient data unencrypted`;

const withTls = (field: string): string => `set ${field}.tls to "required", or to "verify" with a caFile`;

/** What an error says of the server, whoever logs in; `undefined` when it is about the user. */
const serverTrouble = (error: unknown, { server: { host }, hostField, tlsField }: Login) => {
  switch (tlsFailureOf(error)) {
    case "not offered":
      return { field: `${tlsField}.tls`, next: plainTextStep(host, `${tlsField}.tls`) };
    case "demanded":
      return { field: `${tlsField}.tls`, next: withTls(tlsField) };
    case "not trusted":
      return {
        field: `${tlsField}.caFile`,
        next: `name the authority of the server's certificate in ${tlsField}.caFile, and the server by a name of its certificate`,
      };
    case undefined:
      return error instanceof DatabaseUnavailableError
        ? {
            field: `${hostField}.host`,
            next: "start the database server, or correct host and port; check whether a firewall blocks the connection",
          }
        : undefined;
  }
};

/**
 * Who demands TLS where the configuration has none. A server refuses such a login as it refuses a wrong password, so the same
 * login is tried with TLS.
 */
const whoDemandsTls = async (
  examined: Examined,
  login: Login,
  signal: AbortSignal,
): Promise<"server" | "user" | undefined> => {
  if (login.server.tls !== "off") return undefined;
  const encrypted: Login = { ...login, server: { ...login.server, tls: "required" } };
  try {
    await using connection = await connect(accessFor(examined, encrypted, signal));
    const [row] = await connection.rows("SHOW GLOBAL VARIABLES LIKE 'require_secure_transport'");
    return row?.Value === "ON" ? "server" : "user";
  } catch (error) {
    if (error instanceof OpsError) return undefined;
    throw error;
  }
};

/** Logs in; a refusal that comes from `demander`'s demand for TLS is a problem of the field that turns TLS on. */
const logIn = async (
  examined: Examined,
  login: Login,
  signal: AbortSignal,
  demander: "server" | "user",
): Promise<Sight> => {
  const { server, user, tlsField } = login;
  try {
    await using connection = await connect(accessFor(examined, login, signal));
    const [row] = await connection.rows("SELECT CONCAT(VERSION(), ' ', @@version_comment) AS version");
    return ok(`${user.user} logs in at ${server.host}:${server.port}: ${row?.version ?? "unknown version"}`);
  } catch (error) {
    const isRefused = error instanceof DatabaseAccessDeniedError;
    if (!isRefused || (await whoDemandsTls(examined, login, signal)) !== demander) throw error;
    const seen = `the ${demander} refuses logins without TLS, and accepts that of ${user.user} with it`;
    return { ...problem(seen, withTls(tlsField), `${tlsField}.tls`), error: error.name };
  }
};

/** Errors of a password that cannot be read: nothing was sent to the server. */
const isOfSecret = (error: unknown): boolean =>
  [InvalidInputError, SecretUnreadableError, SecretStoreUnavailableError].some((kind) => error instanceof kind);

/** Reaches a server as anybody: one that refuses a login was reached too. */
const reach = async (examined: Examined, login: Login, signal: AbortSignal): Promise<Sight> => {
  const { host, port, tls } = login.server;
  const answers = ok(`${host}:${port} answers${tls === "off" ? "" : " over TLS"}`);
  try {
    const sight = await logIn(examined, login, signal, "server");
    return sight.status === "ok" ? answers : sight;
  } catch (error) {
    if (error instanceof DatabaseAccessDeniedError && !serverTrouble(error, login)) return answers;
    if (!isOfSecret(error)) throw error;
    return { status: "not tried", seen: `needs ${login.user.password.field}, which cannot be read` };
  }
};

/** Each server once, then each login on it. */
export const loginChecks = (examined: Examined): readonly Check[] => {
  const logins = loginsOf(examined);
  const servers = new Map(logins.toReversed().map((login) => [serverId(login), login]));
  const reaching = [...servers].toReversed().map(
    ([id, login]): Check => ({
      name: "database-server",
      id,
      field: `${login.hostField}.host`,
      look: (signal) => reach(examined, login, signal),
      explain: (error) => serverTrouble(error, login),
    }),
  );
  const seen = new Set<string>();
  return [
    ...reaching,
    ...logins.flatMap((login): Check[] => {
      const id = loginId(login);
      if (seen.has(id)) return [];
      seen.add(id);
      return [
        {
          name: login.name,
          id,
          field: login.user.password.field,
          after: [serverId(login)],
          look: (signal) => logIn(examined, login, signal, "user"),
          explain: (error) =>
            error instanceof DatabaseAccessDeniedError
              ? { next: "store the password of this user in the secret, or correct the user's name" }
              : undefined,
        },
      ];
    }),
  ];
};

/** The check of a login. One user on one server is tried once, under the name that comes first. */
export const loginId = (login: Login): string => `login ${serverKey(login.server)} ${login.user.password.field}`;

/** The checks that whoever uses a login comes after. */
export const loggedIn = (login: Login): readonly string[] => [serverId(login), loginId(login)];
