import { databaseError } from "@openemr-ops/database/errors";
import { loadError } from "@openemr-ops/database/loadClient";
import { describe, expect, it } from "vitest";

/** As MariaDB 10.11 says it. */
const denied = "SELECT command denied to user 'restore'@'10.0.0.7' for table `openemr`.`secret_view`";

describe("an error of the server says what a person needs to end it:", () => {
  it("the view that a right is missing on, also while programs are loaded", () => {
    expect(loadError("loading views", `ERROR 1142 (42000): ${denied}`).message).toBe(
      `loading views: ERROR 1142 (42000): ${denied}: the user lacks a right on a table or view: GRANT it`,
    );
  });

  it("no value of a row, whatever the number", () => {
    const { message } = loadError("loading", "ERROR 1062 (23000) at line 7: Duplicate entry 'Jane Doe' for key 'name'");
    expect(message).toBe("loading: server error 1062 (23000): two rows have the same key");
  });

  it.each([1418, 1419])("the setting that lets programs be made (%i)", (number) => {
    const said = `ERROR ${number} (HY000): You do not have the SUPER privilege and binary logging is enabled`;
    for (const { message } of [loadError("loading", said), databaseError("loading", said)])
      expect(message).toMatch(/SET GLOBAL log_bin_trust_function_creators = ON.*parameter group/);
  });

  it.each([
    [168, "Unknown (generic) error from engine", /storage engine.*error log/],
    [28, "No space left on device", /disk of the database server is full/],
    [145, "Table was marked as crashed and should be repaired", /REPAIR TABLE/],
    [150, "Foreign key constraint is incorrectly formed", /foreign key/i],
    [135, "No more room in record file", /disk of the database server is full|tablespace/],
  ])("what the storage engine's number %i means", (number, words, says) => {
    const created = `ERROR 1005 (HY000) at line 1: Can't create table \`a\`.\`x\` (errno: ${number} "${words}")`;
    const read = `ERROR 1030 (HY000): Got error ${number} "${words}" from storage engine InnoDB`;
    for (const said of [created, read]) {
      expect(loadError("loading", said).message).toMatch(says);
      expect(databaseError("reading", said).message).toMatch(says);
    }
    expect(loadError("loading", created).message).toContain("`a`.`x`");
  });

  it("the login that the driver cannot speak, and what to do", () => {
    const said =
      "AUTH_SWITCH_PLUGIN_ERROR Server requests authentication using unknown plugin client_ed25519. See TODO: add plugins doco here on how to configure or author authentication plugins.";
    const error = databaseError("database db:3306", said, { code: "AUTH_SWITCH_PLUGIN_ERROR" });
    expect(error.name).toBe("DatabaseAccessDeniedError");
    expect(error.message).toMatch(/client_ed25519.*mysql_native_password.*caching_sha2_password/);
    expect(error.message).not.toMatch(/TODO/);
  });
});

/** As mariadb-dump and mariadb 10.11 end, and what the driver says. */
describe("no known word of the server's programs becomes an unforeseen failure", () => {
  it.each([
    [
      "mariadb-dump: Got error: 1045: \"Access denied for user 'u'@'localhost' (using password: YES)\" when trying to connect",
      "DatabaseAccessDeniedError",
    ],
    ["mariadb-dump: Got error: 1049: \"Unknown database 'x'\" when selecting the database", "DatabaseMissingError"],
    [
      "mariadb-dump: Got error: 2002: \"Can't connect to server on '10.0.0.1' (115)\" when trying to connect",
      "DatabaseUnavailableError",
    ],
    [
      "mariadb-dump: Got error: 2005: \"Unknown server host 'db' (-2)\" when trying to connect",
      "DatabaseUnavailableError",
    ],
    [
      'mariadb-dump: Got error: 2026: "TLS/SSL error: self-signed certificate" when trying to connect',
      "DatabaseAccessDeniedError",
    ],
    [
      "mariadb-dump: Error 2013: Lost connection to server during query when dumping table `log` at row: 5",
      "DatabaseUnavailableError",
    ],
    [
      "mariadb-dump: Couldn't execute 'SHOW TRIGGERS LIKE 'x'': TRIGGER command denied to user 'u'@'h' for table `a`.`x` (1142)",
      "DatabaseAccessDeniedError",
    ],
    ["ERROR 2006 (HY000): Server has gone away", "DatabaseUnavailableError"],
    [
      "ERROR 1227 (42000): Access denied; you need (at least one of) the SUPER privilege(s) for this operation",
      "DatabaseAccessDeniedError",
    ],
    ["Segmentation fault", "DatabaseDumpFailedError"],
    ["", "DatabaseDumpFailedError"],
  ])("%s", (said, name) => expect(databaseError("reading", said).name).toBe(name));
});
