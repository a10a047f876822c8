import {
  allOnSchemas,
  isAdministrator,
  parseRights,
  statementsBetween,
} from "@openemr-ops/database/users/accountRights";
import { describe, expect, it } from "vitest";

const b = { user: "app_b", host: "%" };
const between = (have: readonly string[], wanted: readonly string[], product: "MariaDB" | "MySQL" = "MySQL") =>
  statementsBetween(parseRights(have), parseRights(wanted), b, product);
const all = "GRANT ALL PRIVILEGES ON `open\\_emr`.* TO `app`@`%`";

describe("the rights of a user, brought in step with another's", () => {
  it.each<{ what: string; have: string[]; wanted: string[]; statements: string[] }>([
    { what: "nothing where they are the same", have: [all], wanted: [all], statements: [] },
    {
      what: "what is missing, and never the right to pass it on",
      have: ["GRANT USAGE ON *.* TO `app_b`@`%`"],
      wanted: [`${all} WITH GRANT OPTION`, "GRANT SELECT (`a`, `b`), INSERT ON `x`.`t` TO `app`@`%`"],
      statements: [
        "GRANT ALL PRIVILEGES ON `open\\_emr`.* TO `app_b`@`%`",
        "GRANT SELECT (`a`, `b`), INSERT ON `x`.`t` TO `app_b`@`%`",
      ],
    },
    {
      what: "what is too much, and it goes last",
      have: ["GRANT SELECT, FILE ON *.* TO `app_b`@`%` WITH GRANT OPTION"],
      wanted: ["GRANT PROCESS, SELECT ON *.* TO `app`@`%`"],
      statements: ["GRANT PROCESS ON *.* TO `app_b`@`%`", "REVOKE FILE, GRANT OPTION ON *.* FROM `app_b`@`%`"],
    },
    {
      what: "less than all, which is no list",
      have: ["GRANT ALL PRIVILEGES ON `s`.* TO `app_b`@`%`"],
      wanted: ["GRANT SELECT ON `s`.* TO `app`@`%`"],
      statements: ["REVOKE ALL PRIVILEGES ON `s`.* FROM `app_b`@`%`", "GRANT SELECT ON `s`.* TO `app_b`@`%`"],
    },
    {
      what: "roles, and which of them are active",
      have: ["GRANT `old`@`%` TO `app_b`@`%`"],
      wanted: ["GRANT `one`@`%`,`two`@`%` TO `app`@`%`"],
      statements: [
        "GRANT `one`@`%` TO `app_b`@`%`",
        "GRANT `two`@`%` TO `app_b`@`%`",
        "REVOKE `old`@`%` FROM `app_b`@`%`",
      ],
    },
    {
      what: "partial revokes",
      have: ["GRANT SELECT ON *.* TO `app_b`@`%`"],
      wanted: ["GRANT SELECT ON *.* TO `app`@`%`", "REVOKE SELECT ON `mysql`.* FROM `app`@`%`"],
      statements: ["REVOKE SELECT ON `mysql`.* FROM `app_b`@`%`"],
    },
    {
      what: "no right to act for others",
      have: [],
      wanted: ["GRANT PROXY ON ''@'%' TO 'app'@'%' WITH GRANT OPTION"],
      statements: [],
    },
  ])("gets $what", ({ have, wanted, statements }) => {
    expect(between(have, wanted)).toEqual(statements);
  });

  it("sets the default role in the words of each product", () => {
    const wanted = parseRights(["GRANT `clinic` TO `app`@`%`", "SET DEFAULT ROLE `clinic` FOR `app`@`%`"]);
    const none = parseRights([]);

    expect(statementsBetween(none, wanted, b, "MariaDB")).toEqual([
      "GRANT `clinic` TO `app_b`@`%`",
      "SET DEFAULT ROLE `clinic` FOR `app_b`@`%`",
    ]);
    expect(statementsBetween(wanted, none, b, "MySQL")[0]).toBe("SET DEFAULT ROLE NONE TO `app_b`@`%`");
  });

  it("are those of an administrator by one right over all schemas", () => {
    expect(isAdministrator(parseRights(["GRANT ALL PRIVILEGES ON *.* TO `app`@`%`"]))).toBe(true);
    expect(isAdministrator(parseRights(["GRANT CREATE USER ON *.* TO `app`@`%`"]))).toBe(true);
    expect(isAdministrator(parseRights(["GRANT PROCESS ON *.* TO `app`@`%`", all]))).toBe(false);
  });

  it("are found equal to all rights on schemas, whose names are no patterns", () => {
    expect(statementsBetween(parseRights([all]), allOnSchemas(["open_emr"], { literal: false }), b, "MariaDB")).toEqual(
      [],
    );
    expect([...allOnSchemas(["open_emr"], { literal: true }).rights.keys()]).toEqual(["`open_emr`.*"]);
  });
});
