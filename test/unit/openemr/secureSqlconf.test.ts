import { SqlconfError } from "@openemr-ops/core/errors";
import { secureUser } from "@openemr-ops/openemr/secureSqlconf";
import { expect, it } from "vitest";
import { aSqlconf, aTree } from "../../support/sitesTree.ts";

it("a second file of credentials is found with its user, also behind a link", async () => {
  const root = await aTree({
    "default/sqlconf.php": aSqlconf(),
    "default/secure_sqlconf.php": "<?php\n$secure_login\t= 'password_keeper_é';\n$secure_pass = 'canary';\n",
    "east/sqlconf.php": aSqlconf(),
    west: { link: "default" },
  });
  const users = await Promise.all(["default", "east", "west"].map((site) => secureUser(root, site)));
  expect(users).toEqual(["password_keeper_é", undefined, "password_keeper_é"]);
});

it.each([
  ["computes its user", "<?php\n$secure_login = trim('canary');\n", /line 2: a value that is computed/],
  ["names no user", "<?php $secure_pass = 'canary';", /\$secure_login is not set to a text/],
  ["names an empty one", "<?php $secure_login = ''; $secure_pass = 'canary';", /\$secure_login is not set to a text/],
])("one that %s is refused by its name, and no value is shown", async (_, content, said) => {
  const root = await aTree({ "default/sqlconf.php": aSqlconf(), "default/secure_sqlconf.php": content });
  const error: unknown = await secureUser(root, "default").catch((reason: unknown) => reason);

  expect(error).toBeInstanceOf(SqlconfError);
  expect(String(error)).toMatch(said);
  expect(String(error)).toContain("default/secure_sqlconf.php");
  expect(String(error)).not.toContain("canary");
});
