import { excessOf, mayExecute } from "@openemr-ops/database/userRights";
import { viewsThatRun } from "@openemr-ops/database/viewsThatRun";
import { describe, expect, it } from "vitest";

describe("what a dump user may do beyond a dump", () => {
  it.each<{ grants: string; revoke: readonly string[] }>([
    { grants: "GRANT USAGE ON *.* TO `d`@`%` IDENTIFIED BY PASSWORD '*00'", revoke: [] },
    { grants: "GRANT SELECT, LOCK TABLES, SHOW VIEW, EVENT, TRIGGER ON `a\\_b`.* TO `d`@`%`", revoke: [] },
    { grants: "GRANT SELECT ON `mysql`.`proc` TO `d`@`%`", revoke: [] },
    { grants: "GRANT SELECT (`a`, `b`) ON `x`.`t` TO `d`@`%`", revoke: [] },
    {
      grants: "GRANT SUPER, FILE ON *.* TO `d`@`%` IDENTIFIED BY PASSWORD '*00' WITH GRANT OPTION",
      revoke: ["REVOKE SUPER, FILE, GRANT OPTION ON *.* FROM `d`@`%`"],
    },
    {
      grants: "GRANT ALL PRIVILEGES ON `b`.* TO 'd'@'10.0.0.%'",
      revoke: ["REVOKE ALL PRIVILEGES ON `b`.* FROM 'd'@'10.0.0.%'"],
    },
    {
      grants: "GRANT SELECT (`a`, `b`), UPDATE (`a`, `b`) ON `x`.`t` TO `d`@`%`",
      revoke: ["REVOKE UPDATE (`a`, `b`) ON `x`.`t` FROM `d`@`%`"],
    },
    {
      grants: "GRANT EXECUTE ON FUNCTION `x`.`f` TO `d`@`%`",
      revoke: ["REVOKE EXECUTE ON FUNCTION `x`.`f` FROM `d`@`%`"],
    },
    { grants: "GRANT INSERT ON `x`.* TO `dumpers`", revoke: ["REVOKE INSERT ON `x`.* FROM `dumpers`"] },
    { grants: "GRANT BACKUP_ADMIN ON *.* TO `d`@`%`", revoke: ["REVOKE BACKUP_ADMIN ON *.* FROM `d`@`%`"] },
    { grants: "GRANT PROXY ON ''@'%' TO 'd'@'%' WITH GRANT OPTION", revoke: ["REVOKE PROXY ON ''@'%' FROM 'd'@'%'"] },
  ])("by $grants is taken away by $revoke", ({ grants, revoke }) => {
    expect(excessOf([grants]).map((one) => one.revoke)).toEqual(revoke);
  });

  it("counts as running functions when a role may that nobody explains", () => {
    expect(mayExecute(["GRANT SELECT ON `a`.* TO `d`@`%`"])).toBe(false);
    expect(mayExecute(["GRANT EXECUTE ON FUNCTION `x`.`f` TO `d`@`%`"])).toBe(true);
    expect(mayExecute(["GRANT `r`@`%` TO `d`@`%`"])).toBe(true);
  });
});

it.each([
  ["`a`.`t`.`x` like 'y' escape `f`(2)", true],
  ["round(1.5,`a`.`f`(`g`(1)))", true],
  ["select `f`(`a`.`t`.`id`) AS `x` from `a`.`t`", false],
  ["select `a`.`t`.`id` AS `id` from (`a`.`t`)", false],
])("a view %s runs a function when it is looked at: %s", (definition, runs) => {
  expect(viewsThatRun("a", [{ name: "v", definition, asInvoker: true }])).toEqual(runs ? ["v"] : []);
  expect(viewsThatRun("a", [{ name: "v", definition, asInvoker: false }])).toEqual([]);
});
