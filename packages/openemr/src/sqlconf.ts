import { SqlconfError } from "@openemr-ops/core/errors";
import { phpAssignments } from "./phpAssignments.ts";
import type { PhpScalar, PhpValue } from "./phpExpression.ts";

/** What a site's `sqlconf.php` makes OpenEMR connect with. */
export interface Sqlconf {
  readonly host: string;
  readonly port: number;
  readonly login: string;
  readonly pass: string;
  readonly dbase: string;
  /** `$config`: 0 makes a container set up from scratch and empty the database. */
  readonly configured: boolean;
}

/**
 * Reads a `sqlconf.php` without running it. The array `$sqlconf` decides, as in OpenEMR.
 *
 * @throws {SqlconfError} fatal: PHP that computes, a socket instead of a host, no `$sqlconf`; never shows a value
 */
export const parseSqlconf = (content: Buffer): Sqlconf => {
  const found = locate(content);
  return {
    host: textOf(found, "host"),
    port: portOf(found),
    login: textOf(found, "login"),
    pass: textOf(found, "pass"),
    dbase: textOf(found, "dbase"),
    configured: isConfigured(found.config),
  };
};

/**
 * Replaces values and keeps every other byte. Where a variable and the array disagree, both get the new value, for older
 * releases read the variables. Values that do not change may be ones that we cannot evaluate. Repeating it changes nothing.
 *
 * @throws {SqlconfError} fatal: a value to be changed is computed or absent, or the result does not read as intended
 */
export const rewriteSqlconf = (content: Buffer, changes: Partial<Sqlconf>): Buffer => {
  const before = locate(content);
  const replacements = new Map<number, { start: number; end: number; literal: string }>();
  const replace = (scalar: PhpScalar, literal: string) =>
    replacements.set(scalar.start, { start: scalar.start, end: scalar.end, literal });

  for (const field of fields) {
    const value = changes[field];
    if (value === undefined) continue;
    const entry = known(before.entries.get(field), `$sqlconf["${field}"]`);
    const variable = before.variables.get(field);
    for (const scalar of variable === undefined ? [entry] : [entry, known(variable, `$${field}`)]) {
      replace(
        scalar,
        typeof scalar.value === "number" && typeof value === "number" ? `${value}` : phpLiteral(`${value}`),
      );
    }
  }
  if (changes.configured !== undefined && changes.configured !== isConfigured(before.config)) {
    replace(known(before.config, "$config"), changes.configured ? "1" : "0");
  }

  let text = content.toString("latin1");
  for (const { start, end, literal } of [...replacements.values()].sort((a, b) => b.start - a.start)) {
    text = text.slice(0, start) + literal + text.slice(end);
  }
  const rewritten = Buffer.from(text, "latin1");
  assertReads(before, locate(rewritten), changes);
  return rewritten;
};

/** A PHP literal between single quotes, one character a byte: `\` and `'` are all that is special there. */
export const phpLiteral = (value: string): string =>
  `'${Buffer.from(value).toString("latin1").replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

const fields = ["host", "port", "login", "pass", "dbase"] as const;
type Field = (typeof fields)[number];

interface Located {
  readonly entries: ReadonlyMap<string, PhpValue>;
  readonly variables: ReadonlyMap<string, PhpValue>;
  readonly config: PhpValue | undefined;
}

const locate = (content: Buffer): Located => {
  const variables = phpAssignments(content.toString("latin1"));
  const array = variables.get("sqlconf");
  if (array?.kind !== "array") throw new SqlconfError("the file does not define the array $sqlconf");
  if (array.entries.has("socket")) {
    throw new SqlconfError('$sqlconf["socket"]: a connection through a socket; give host and port instead');
  }
  return { entries: array.entries, variables, config: variables.get("config") };
};

const known = (value: PhpValue | undefined, name: string): PhpScalar => {
  if (value?.kind === "scalar") return value;
  throw new SqlconfError(value?.kind === "unknown" ? `${name}, ${value.reason}` : `${name} is not set to a value`);
};

const textOf = (found: Located, field: Field): string => {
  const { value, line } = known(found.entries.get(field), `$sqlconf["${field}"]`);
  if (typeof value !== "string" && typeof value !== "number") {
    throw new SqlconfError(`line ${line}: $sqlconf["${field}"] is not a text`);
  }
  return utf8(`${value}`, field);
};

const portOf = (found: Located): number => {
  const text = textOf(found, "port");
  const port = Number(text);
  if (!/^[0-9]{1,5}$/.test(text) || port < 1 || port > 65535) {
    throw new SqlconfError('$sqlconf["port"] is not a port number from 1 to 65535');
  }
  return port;
};

const isConfigured = (config: PhpValue | undefined): boolean => {
  if (config === undefined) return false;
  const { value } = known(config, "$config");
  return value === true || Number(value) === 1;
};

const utf8 = (latin1: string, field: Field): string => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.from(latin1, "latin1"));
  } catch {
    throw new SqlconfError(`$sqlconf["${field}"] is not UTF-8 text`);
  }
};

/** The proof after the edit: what changed reads as asked, in array and variable, and all else reads as before. */
const assertReads = (before: Located, after: Located, changes: Partial<Sqlconf>): void => {
  const differs = (was: PhpValue | undefined, is: PhpValue | undefined, wanted: string | number | undefined) => {
    if (wanted === undefined) return show(was) !== show(is);
    return is?.kind !== "scalar" || `${is.value}` !== Buffer.from(`${wanted}`).toString("latin1");
  };
  for (const field of fields) {
    const variable = before.variables.get(field);
    if (
      differs(before.entries.get(field), after.entries.get(field), changes[field]) ||
      (variable !== undefined && differs(variable, after.variables.get(field), changes[field]))
    ) {
      throw new SqlconfError(`$${field} cannot be set on its own: give each value of sqlconf.php its own line`);
    }
  }
  const configured = changes.configured;
  if (
    configured === undefined ? show(before.config) !== show(after.config) : isConfigured(after.config) !== configured
  ) {
    throw new SqlconfError("$config cannot be set on its own: give it a line such as $config = 1;");
  }
};

const show = (value: PhpValue | undefined): string =>
  value?.kind === "scalar" ? `${typeof value.value} ${value.value}` : (value?.kind ?? "absent");
