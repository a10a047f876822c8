import {
  DatabaseAccessDeniedError,
  DatabaseDumpFailedError,
  DatabaseMissingError,
  DatabaseUnavailableError,
  DestinationFullError,
  DestinationUnavailableError,
  SourceLayoutError,
  ToolFailedError,
} from "@openemr-ops/core/errors";
import { databaseError } from "@openemr-ops/database/errors";
import { resticError } from "@openemr-ops/dumps/store/resticErrors";
import { describe, expect, it } from "vitest";

describe("what the database or its programs say", () => {
  it.each<[string, string, unknown, new (...args: never[]) => Error]>([
    [
      "a program's number",
      `mariadb-dump: Got error: 1045: "Access denied" when trying to connect`,
      undefined,
      DatabaseAccessDeniedError,
    ],
    [
      "a number in the middle of a dump",
      "mariadb-dump: Error 2013: Lost connection when dumping table `x` at row: 5",
      undefined,
      DatabaseUnavailableError,
    ],
    [
      "the number at the end of a statement",
      "mariadb-dump: Couldn't execute 'show create table `x`': Unknown database 'x' (1049)",
      undefined,
      DatabaseMissingError,
    ],
    [
      "the driver's number",
      "ER_NO_SUCH_TABLE Table 'a.access denied 1045' doesn't exist",
      { errno: 1146, code: "ER_NO_SUCH_TABLE" },
      DatabaseDumpFailedError,
    ],
    ["the driver's code", "ECONNREFUSED connect", { errno: -111, code: "ECONNREFUSED" }, DatabaseUnavailableError],
    [
      "a view in a table's place",
      "Key '(null)' doesn't exist in table 'documents'",
      { errno: 1176 },
      SourceLayoutError,
    ],
    [
      "a table called no space left on device",
      "mariadb-dump: Couldn't execute 'show fields from `no space left on device`': Table doesn't exist (1146)",
      undefined,
      DatabaseDumpFailedError,
    ],
    [
      "a table called Got error: 1045: x",
      "mariadb-dump: Couldn't execute 'show fields from `Got error: 1045: x (1045)`': no (1146)",
      undefined,
      DatabaseDumpFailedError,
    ],
    [
      "a table called lost connection",
      "Table 'lost connection' is marked as crashed",
      { errno: 145 },
      DatabaseDumpFailedError,
    ],
  ])("is judged by %s", (_, said, cause, expected) => {
    expect(databaseError("dump", said, cause)).toBeInstanceOf(expected);
  });
});

describe("what restic says", () => {
  const about = (item: string) =>
    JSON.stringify({
      message_type: "error",
      error: { message: `open ${item}: permission denied` },
      during: "archival",
      item,
    });
  it.each<[string, string, new (...args: never[]) => Error]>([
    ["of itself", "Fatal: unable to save snapshot: write /repo/data/ab: no space left on device", DestinationFullError],
    [
      "in JSON, of itself",
      JSON.stringify({ message_type: "exit_error", code: 1, message: "Fatal: dial tcp: connection refused" }),
      DestinationUnavailableError,
    ],
    [
      "of a file with its words in the name",
      `${about("/sites/no space left on device: AccessDenied")}\nFatal: nothing foreseen`,
      ToolFailedError,
    ],
    [
      "of a file, in text",
      "error: open /sites/no space left on device: permission denied\nFatal: nothing foreseen",
      ToolFailedError,
    ],
  ])("%s is taken for what it is", (_, errors, expected) => {
    const error = resticError("storing", { code: 1, signal: null, errors });

    expect(error).toBeInstanceOf(expected);
    expect(error.message).not.toContain("/sites/");
  });
});
