import { portableSql } from "@openemr-ops/database/portableSql";
import { describe, expect, it } from "vitest";

const lines = (...parts: readonly string[]): string => `${parts.join("\n")}\n`;

describe("what ties a dump to its source", () => {
  it.each<{ what: string; line: string; becomes: string }>([
    {
      what: "a view's definer",
      line: "/*!50013 DEFINER=`clinic`@`10.0.%` SQL SECURITY DEFINER */",
      becomes: "/*!50013 SQL SECURITY DEFINER */",
    },
    {
      what: "a trigger's definer",
      line: "/*!50003 CREATE*/ /*!50017 DEFINER=`a``b`@`%`*/ /*!50003 TRIGGER t BEFORE INSERT ON x FOR EACH ROW SET @a = 1 */;;",
      becomes: "/*!50003 CREATE*/ /*!50003 TRIGGER t BEFORE INSERT ON x FOR EACH ROW SET @a = 1 */;;",
    },
    {
      what: "an event's definer",
      line: "/*!50106 CREATE*/ /*!50117 DEFINER=`root`@`localhost`*/ /*!50106 EVENT `e` ON SCHEDULE EVERY 1 DAY DO SET @a = 1 */ ;;",
      becomes: "/*!50106 CREATE*/ /*!50106 EVENT `e` ON SCHEDULE EVERY 1 DAY DO SET @a = 1 */ ;;",
    },
    {
      what: "a procedure's definer",
      line: "CREATE DEFINER=`root`@`localhost` PROCEDURE `p`()",
      becomes: "CREATE PROCEDURE `p`()",
    },
    {
      what: "an aggregate's definer",
      line: "CREATE DEFINER=`root`@`localhost` AGGREGATE FUNCTION `f`(a INT) RETURNS int(11)",
      becomes: "CREATE AGGREGATE FUNCTION `f`(a INT) RETURNS int(11)",
    },
    {
      what: "a definer in the quotes of ANSI",
      line: 'CREATE DEFINER="a""b"@"%" PROCEDURE "p"()',
      becomes: 'CREATE PROCEDURE "p"()',
    },
    {
      what: "a role as definer",
      line: "CREATE DEFINER=`clinicians` FUNCTION `f`() RETURNS int(11)",
      becomes: "CREATE FUNCTION `f`() RETURNS int(11)",
    },
    {
      what: "the schema's name where its character set changes",
      line: "ALTER DATABASE `open``emr` CHARACTER SET latin1 COLLATE latin1_swedish_ci ;",
      becomes: "ALTER DATABASE CHARACTER SET latin1 COLLATE latin1_swedish_ci ;",
    },
    {
      what: "the schema's name above routines",
      line: "-- Dumping routines for database 'openemr'",
      becomes: "-- Dumping routines",
    },
    {
      what: "the schema's name before columns of a view",
      line: "/*!50001 VIEW `v` AS select `open``emr`.`t`.`id` AS `id`,max(`open``emr`.`t``s`.`n`) AS `n` from `t` */;",
      becomes: "/*!50001 VIEW `v` AS select `t`.`id` AS `id`,max(`t``s`.`n`) AS `n` from `t` */;",
    },
  ])("loses $what", ({ line, becomes }) => {
    expect(portableSql(lines("", line, "x"), "open`emr")).toBe(lines("", becomes, "x"));
  });

  it("loses the line that stops clients of MySQL, and the host", () => {
    const text = lines(
      "/*M!999999\\- enable the sandbox mode */ ",
      "-- dump",
      "-- Host: db.internal    Database: x",
      "--",
    );

    expect(portableSql(text, "x")).toBe(lines("-- dump", "--"));
  });
});

describe("the body of a program", () => {
  const tricky = [
    "/* nothing here is mariadb-dump's:",
    "CREATE DEFINER=`x`@`y` PROCEDURE `p`()",
    "/*!50013 DEFINER=`x`@`y` SQL SECURITY DEFINER */",
    "ALTER DATABASE `x` CHARACTER SET latin1 COLLATE latin1_swedish_ci ;",
    "-- Host: x",
    "-- Dumping events for database 'x'",
    "*/",
  ];

  it.each([
    {
      kind: "procedure",
      head: "CREATE DEFINER=`a`@`b` PROCEDURE `p`()",
      bare: "CREATE PROCEDURE `p`()",
      end: "END\n;;",
    },
    {
      kind: "trigger",
      head: "/*!50003 CREATE*/ /*!50017 DEFINER=`a`@`b`*/ /*!50003 TRIGGER t",
      bare: "/*!50003 CREATE*/ /*!50003 TRIGGER t",
      end: "END */;;",
    },
    {
      kind: "event",
      head: "/*!50106 CREATE*/ /*!50117 DEFINER=`a`@`b`*/ /*!50106 EVENT `e`",
      bare: "/*!50106 CREATE*/ /*!50106 EVENT `e`",
      end: "END */ ;;",
    },
  ])("stays as it is in a $kind, and what follows is read again", ({ head, bare, end }) => {
    const before = "ALTER DATABASE `x` CHARACTER SET latin1 COLLATE latin1_swedish_ci ;;";
    const bareBefore = "ALTER DATABASE CHARACTER SET latin1 COLLATE latin1_swedish_ci ;;";
    const host = "-- Host: db.internal";

    expect(
      portableSql(lines(host, "DELIMITER ;;", before, head, ...tricky, end, before, "DELIMITER ;", before), "x"),
    ).toBe(lines("DELIMITER ;;", bareBefore, bare, ...tricky, end, bareBefore, "DELIMITER ;", bareBefore));
  });
});

it("leaves a view's texts alone, and a table that is called as the schema", () => {
  const view = lines(
    "/*!50001 VIEW `v` AS select 'it\\'s `x`.`t`.`id`' AS `a`,`x`.`id` AS `b`,`y`.`x` AS `x` from `t` `x` */;",
  );

  expect(portableSql(view, "x")).toBe(view);
});

it("leaves rows alone", () => {
  const rows = lines("INSERT INTO `t` VALUES", "('CREATE DEFINER=`a`@`b` PROCEDURE'),", "('DELIMITER ;;');");

  expect(portableSql(rows, "x")).toBe(rows);
});
