import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { SourceUnreadableError, SqlconfError } from "@openemr-ops/core/errors";
import { surveySqlconfs } from "@openemr-ops/openemr/surveySqlconfs";
import { expect, it } from "vitest";
import { aSqlconf, aTree } from "../../support/sitesTree.ts";

it("every site is found with its login, whether it is set up, and whether it has a second file of credentials", async () => {
  const root = await aTree({
    "default/sqlconf.php": aSqlconf(),
    "default/secure_sqlconf.php": "<?php $secure_pass = 'canary';",
    "east/sqlconf.php": aSqlconf({ database: "east", configured: false }),
    west: { link: "default" },
    "images/logo.png": "no site",
  });

  expect(await surveySqlconfs(root)).toMatchObject({
    sites: [
      { site: "default", sqlconf: { login: "app", dbase: "openemr", configured: true }, secureFile: true },
      { site: "east", sqlconf: { login: "app", dbase: "east", configured: false }, secureFile: false },
      { site: "west", sqlconf: { login: "app" }, secureFile: true },
    ],
    closed: [],
  });
});

it("a site whose file computes its values is named, and the others are read all the same", async () => {
  const root = await aTree({
    "a/sqlconf.php": "<?php\n$pass = trim('canary');\n",
    "b/sqlconf.php": aSqlconf(),
    "c/sqlconf.php": "",
  });
  const { sites } = await surveySqlconfs(root);
  const [a, b, c] = sites.map(({ sqlconf }) => sqlconf);
  expect(a).toBeInstanceOf(SqlconfError);
  expect(`${a}`).toBe("SqlconfError: a/sqlconf.php: line 2: a value that is computed; write it between single quotes");
  expect(b).toMatchObject({ login: "app" });
  expect(`${c}`).toBe("SqlconfError: c/sqlconf.php: the file is empty");
});

it("a directory without sites has none, and a missing one is an error", async () => {
  const root = await aTree({ images: null });
  await chmod(root, 0o500);
  expect(await surveySqlconfs(root)).toEqual({ sites: [], closed: [] });
  await expect(surveySqlconfs(join(root, "nowhere"))).rejects.toThrow(SourceUnreadableError);
});
