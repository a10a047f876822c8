import { rightsToDrill, rightsToDump, rightsToRestore } from "@openemr-ops/database/users/neededRights";
import { usersSql } from "@openemr-ops/database/users/usersSql";
import { describe, expect, it } from "vitest";

const password = "it's a \\ password";
const users = [
  { user: "openemr_dump", password, needsTls: true, rights: rightsToDump },
  { user: "openemr_restore", password, needsTls: false, rights: rightsToRestore },
  { user: "openemr_drill", password, needsTls: false, rights: rightsToDrill },
];

describe("the statements that make the database users", () => {
  it("are those of the documents, and hold no password where MariaDB runs them", () => {
    const sql = usersSql(users, "open_emr", { product: "MariaDB", version: "10.11.19-MariaDB", literal: false });
    expect(sql.split("\n").map((line) => line.replace(/'\*[0-9A-F]{40}'/, "HASH"))).toEqual([
      "CREATE USER IF NOT EXISTS `openemr_dump`@`%` IDENTIFIED BY PASSWORD HASH REQUIRE SSL;",
      "GRANT SELECT, LOCK TABLES, SHOW VIEW, TRIGGER, EVENT ON `open\\_emr`.* TO `openemr_dump`@`%`;",
      "GRANT SELECT ON `mysql`.`proc` TO `openemr_dump`@`%`;",
      "CREATE USER IF NOT EXISTS `openemr_restore`@`%` IDENTIFIED BY PASSWORD HASH;",
      "GRANT ALL PRIVILEGES ON `open\\_emr`.* TO `openemr_restore`@`%`;",
      "GRANT ALL PRIVILEGES ON `open\\_emr\\_%`.* TO `openemr_restore`@`%`;",
      "CREATE USER IF NOT EXISTS `openemr_drill`@`%` IDENTIFIED BY PASSWORD HASH;",
      "GRANT ALL PRIVILEGES ON `open\\_emr\\_drill\\_%`.* TO `openemr_drill`@`%`;",
      "",
    ]);
  });

  it("quote the password for MySQL, and name no pattern where the server takes none", () => {
    const sql = usersSql(users, "openemr", { product: "MySQL", version: "8.4.0", literal: true });
    expect(sql).toContain("IDENTIFIED BY 'it\\'s a \\\\ password' REQUIRE SSL;");
    expect(sql).toContain("GRANT SHOW_ROUTINE ON *.* TO `openemr_dump`@`%`;");
    expect(sql).not.toContain("%`.*");
  });
});
