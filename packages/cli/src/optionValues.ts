import { resolve } from "node:path";
import { destinationForms } from "@openemr-ops/core/config/destinationAddress";
import {
  emailAddress,
  fileName,
  host,
  identifier,
  metricsFileName,
  port,
  schemaName,
  soakMinutes,
  userName,
} from "@openemr-ops/core/config/fields";
import { mostCopies } from "@openemr-ops/core/config/sections/copies";
import { ulidPattern } from "@openemr-ops/core/ids";
import { isStage, longestStage } from "@openemr-ops/core/names";
import { day, tableNames } from "@openemr-ops/events/inputs/exportDatabase";
import { jobName } from "@openemr-ops/events/jobEvent";
import { jobKinds, type WorkflowKind, workflowKinds } from "@openemr-ops/events/jobKinds";
import { InvalidArgumentError } from "commander";

/** Reads one option's value; `earlier` is what an earlier occurrence gave, relative names start at `cwd`. */
export interface ReadValue<Value> {
  (text: string, earlier: unknown, cwd: string): Value;
  /** Every value, or those that are words; shells complete them. */
  readonly choices?: readonly string[];
}

const withChoices = <Value>(read: ReadValue<Value>, choices: readonly string[]): ReadValue<Value> =>
  Object.assign((...given: Parameters<typeof read>) => read(...given), { choices });

/** An option that is given once, with a value that `read` accepts. */
const once =
  <Value>(read: (text: string, cwd: string) => Value): ReadValue<Value> =>
  (text, earlier, cwd) => {
    if (earlier !== undefined) throw new InvalidArgumentError("is given twice");
    if (text === "") throw new InvalidArgumentError("has an empty value");
    if (text.startsWith("-"))
      throw new InvalidArgumentError("lacks its value (write ./ before a name that starts with a hyphen)");
    return read(text, cwd);
  };

/** An option that people expect and a command does not have, and why. */
export const refused = (why: string): ReadValue<undefined> =>
  once(() => {
    throw new InvalidArgumentError(why);
  });

/** Names as a choice: `objects, read-data or drill`. */
export const oneOf = (names: readonly string[]): string => names.join(", ").replace(/, ([^,]*)$/, " or $1");

const bySchema =
  (schema: { safeParse(value: unknown): { error?: { issues: readonly { message: string }[] } | undefined } }) =>
  (text: string) => {
    const [issue] = schema.safeParse(text).error?.issues ?? [];
    if (issue) throw new InvalidArgumentError(issue.message);
    return text;
  };

/** What is wrong with a stage's name, in words. */
export const stageProblem = (stage: string): string | undefined =>
  isStage(stage)
    ? undefined
    : `expected a stage's name: up to ${longestStage} lower-case letters and digits, a letter first, or dev- and such`;

/** A unit of systemd. Source: systemd.unit(5), "Description". */
export const aUnit = once((text) => {
  if (!/^[A-Za-z0-9:_.@\\-]{1,255}$/.test(text)) throw new InvalidArgumentError("expected the name of a systemd unit");
  return text;
});

export const anAddress = once(bySchema(emailAddress));

/** Who sendmail delivers to: an address, or a user of this machine. */
export const aMailbox = once((text) => {
  if (/^[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}(@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*)?$/.test(text)) return text;
  throw new InvalidArgumentError("expected an e-mail address, or a user of this machine such as root");
});
export const anInstallation = once(bySchema(identifier));
export const aSchema = once(bySchema(schemaName));
export const aHost = once(bySchema(host));
export const aUser = once(bySchema(userName));
export const aPort = once((text) => {
  const { data, error } = port.safeParse(/^\d+$/.test(text) ? Number(text) : text);
  if (data === undefined) throw new InvalidArgumentError(error?.issues[0]?.message ?? "expected a port");
  return data;
});

/** A file or directory, made absolute from the working directory. */
export const aPath = once((text, cwd) => resolve(cwd, bySchema(fileName)(text)));

/** A destination, or a JSON file with its settings, made absolute. Whether it can serve is seen when it is read. */
export const aPlace = once((text, cwd) => {
  if (/^[a-z0-9]+:/i.test(text)) return text;
  if (/\.json$/i.test(text)) return resolve(cwd, bySchema(fileName)(text));
  throw new InvalidArgumentError(`expected ${destinationForms}, or a JSON file with the field destination`);
});
/** As `aPath`, of a file for Prometheus' node exporter. */
export const aMetricsFile = once((text, cwd) => resolve(cwd, bySchema(metricsFileName)(text)));

export const aChoice = <const Names extends readonly string[]>(names: Names): ReadValue<Names[number]> =>
  withChoices(
    once((text) => {
      const name = names.find((known) => known === text);
      if (name === undefined) throw new InvalidArgumentError(`expected ${oneOf(names)}`);
      return name;
    }),
    names,
  );

export const aDump = withChoices(
  once((text) => {
    if (text === "latest" || ulidPattern.test(text)) return text;
    throw new InvalidArgumentError("expected latest or a dump's identifier of 26 characters, as dumps lists them");
  }),
  ["latest"],
);

/** The same, or all of them. */
export const someDumps = once((text) => {
  if (text === "all" || text === "latest" || ulidPattern.test(text)) return text;
  throw new InvalidArgumentError("expected all, latest or a dump's identifier of 26 characters, as dumps lists them");
});

export const aShare = once((text) => {
  const [, part, of] = (/^(\d{1,5})\/(\d{1,5})$/.exec(text) ?? []).map(Number);
  if (part !== undefined && of !== undefined && part >= 1 && part <= of) return `${part}/${of}`;
  throw new InvalidArgumentError("expected n/m, the n-th of m parts, such as 1/7");
});

const secondsIn = { m: 60, h: 3600, d: 24 * 3600 } as const;

/** A number of minutes, hours or days, in seconds. */
export const anAge = once((text) => {
  const [, number, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const seconds = Number(number) * secondsIn[(unit ?? "m") as keyof typeof secondsIn];
  if (seconds > 0) return seconds;
  throw new InvalidArgumentError("expected a number of minutes, hours or days, such as 90m, 26h or 8d");
});

/** A copy by its place in the configuration. */
export const aCopy = once((text) => {
  const copy = Number(text);
  if (Number.isInteger(copy) && copy >= 1 && copy <= mostCopies) return copy;
  throw new InvalidArgumentError(`expected the number of a copy, 1 to ${mostCopies}`);
});

/** Names of tables with commas between. Whether they are there is seen in the database. */
export const someTables = once((text) => {
  const { data, error } = tableNames.safeParse(text.split(",").map((name) => name.trim()));
  if (!data) throw new InvalidArgumentError(error?.issues[0]?.message ?? "expected tables' names");
  return data;
});

/** One of several texts: the option may be given again. */
export const severalTexts: ReadValue<readonly string[]> = (text, earlier, cwd) => [
  ...((earlier as readonly string[] | undefined) ?? []),
  once((value) => value)(text, undefined, cwd),
];

/** Such as `2026-01-31`. Whether it is in the past is seen when the job starts. */
export const aDay = once(bySchema(day));

export const aJob = once(bySchema(jobName));

export const aStage = once((text) => {
  const problem = stageProblem(text);
  if (problem !== undefined) throw new InvalidArgumentError(problem);
  return text;
});

/** JSON on the command line; read later, against the workflow that it is for. */
export const aText = once((text) => text);

export const aLimit = once((text) => {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= 1000) return limit;
  throw new InvalidArgumentError("expected a whole number from 1 to 1000");
});

/** A whole number of days, up to ten years. */
export const someDays = once((text) => {
  const days = Number(text);
  if (Number.isInteger(days) && days >= 1 && days <= 3660) return days;
  throw new InvalidArgumentError("expected a whole number from 1 to 3660");
});

/** A whole number of minutes that a key stays. */
export const someMinutes = once((text) => {
  const { data, error } = soakMinutes.safeParse(/^\d+$/.test(text) ? Number(text) : text);
  if (data === undefined) throw new InvalidArgumentError(error?.issues[0]?.message ?? "expected minutes");
  return data;
});

/** A workflow by its kind of job, or by its name in the console. */
export const aWorkflow = withChoices(
  once((text): WorkflowKind => {
    const kind = workflowKinds.find((known) => text === known || text === jobKinds[known].workflow);
    if (kind) return kind;
    throw new InvalidArgumentError(`expected ${oneOf(workflowKinds)}`);
  }),
  workflowKinds,
);
