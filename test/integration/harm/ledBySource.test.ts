import { connect, connectReadOnly } from "@openemr-ops/database/connection";
import { compareRestored } from "@openemr-ops/dumps/steps/compare";
import { inspect } from "@openemr-ops/dumps/steps/inspect";
import { planDump, takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { sqlName, sqlString } from "@openemr-ops/local/servers/databaseServer";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aClinic, type Clinic } from "../../support/aClinic.ts";
import { accessOf, type FreshSchema, freshSchema } from "../../support/database.ts";
import { aWorkDirectory, contextFor } from "../../support/dumpContext.ts";

/*
 * Whoever broke into OpenEMR has its database login: all rights on its own schema, none elsewhere. What it leaves there is
 * looked at by users with other rights.
 */
let work: Awaited<ReturnType<typeof aWorkDirectory>>;
let clinic: Clinic;
/** A second installation on the same server, which the dump user may write to by mistake. */
let other: FreshSchema;
beforeAll(async () => {
  work = await aWorkDirectory();
  other = await freshSchema();
  await other.query("CREATE TABLE witness (said varchar(200))");
});
beforeEach(async () => {
  await other.query("TRUNCATE witness");
  clinic = await aClinic();
  const attacker = `${clinic.schema.name}_attacker`;
  await clinic.schema.query(`CREATE USER ${sqlName(attacker)}@'%' IDENTIFIED BY ${sqlString("shell")}`);
  await clinic.schema.query(`GRANT ALL PRIVILEGES ON ${sqlName(clinic.schema.name)}.* TO ${sqlName(attacker)}@'%'`);
  for (const { user } of [clinic.schema.dumpUser, clinic.schema.restoreUser]) {
    await other.query(`GRANT INSERT ON ${sqlName(other.name)}.* TO ${sqlName(user)}@'%'`);
    await other.query(`GRANT EXECUTE ON ${sqlName(clinic.schema.name)}.* TO ${sqlName(user)}@'%'`);
  }
  return async () => {
    await clinic.schema.query(`DROP USER ${sqlName(attacker)}@'%'`);
    await clinic.remove();
  };
});
afterAll(async () => {
  await other.drop();
  await work.remove();
});

/** Statements as OpenEMR's own login. */
const asOpenEmr = async (...statements: readonly string[]): Promise<void> => {
  const { schema } = clinic;
  await using connection = await connect(accessOf(schema, { user: `${schema.name}_attacker`, password: "shell" }));
  for (const statement of statements) await connection.run(statement);
};

/** A function that writes to the other installation with the rights of whoever looks, and hides when that is refused. */
const trap = (name: string, returns = "INT", value = "1"): string =>
  `CREATE FUNCTION ${name}(x INT) RETURNS ${returns} DETERMINISTIC MODIFIES SQL DATA SQL SECURITY INVOKER
   BEGIN
     DECLARE CONTINUE HANDLER FOR SQLEXCEPTION BEGIN END;
     INSERT INTO ${sqlName(other.name)}.witness VALUES (CONCAT('${name} as ', CURRENT_USER()));
     RETURN ${value};
   END`;

const witnesses = async () => (await other.query("SELECT DISTINCT said FROM witness")).map(({ said }) => said);

const viewFor = (table: string): readonly string[] => [
  `RENAME TABLE \`${table}\` TO ${table}_behind`,
  `CREATE SQL SECURITY INVOKER VIEW \`${table}\` AS SELECT * FROM ${table}_behind WHERE trap(1) = 1`,
];

const contextOf = async (directory: string) =>
  contextFor({
    schema: clinic.schema,
    sitesPath: clinic.sitesPath,
    directory: `${work.path}/${directory}-${clinic.schema.name}`,
    dumps: { format: "portable" },
  });

describe("a view that OpenEMR's login puts in the place of a table", () => {
  it.each(["documents", "keys", "globals", "version"])(
    "%s is not looked into by a dump, which says so",
    async (name) => {
      await asOpenEmr(trap("trap"), ...viewFor(name));

      const { manifest } = await takeDump(await contextOf(name));

      expect(await witnesses()).toEqual([]);
      expect(manifest.warnings).toContainEqual(
        expect.objectContaining({ code: "view-instead-of-table", message: expect.stringContaining(name) }),
      );
    },
  );

  it("is not looked into in a restored copy, where it is a difference", async () => {
    const context = await contextOf("copy");
    const { manifest } = await takeDump(context);
    await asOpenEmr(trap("trap"), ...viewFor("documents"));
    const { schema } = clinic;

    const found = await compareRestored(context, accessOf(schema, schema.restoreUser), clinic.sitesPath, manifest);

    expect(await witnesses()).toEqual([]);
    expect(found.differences).toContainEqual(expect.objectContaining({ kind: "table", subject: "documents" }));
  });

  it("runs nothing either when it is swapped in again and again meanwhile", { timeout: 120_000 }, async () => {
    await asOpenEmr(trap("trap"), "CREATE SQL SECURITY INVOKER VIEW swap AS SELECT * FROM documents WHERE trap(1) = 1");
    const { schema } = clinic;
    let [racing, swaps] = [true, 0];
    const race = (async () => {
      await using connection = await connect(accessOf(schema, { user: `${schema.name}_attacker`, password: "shell" }));
      while (racing) {
        await connection.run("RENAME TABLE documents TO hidden, swap TO documents, hidden TO swap");
        await connection.run("RENAME TABLE documents TO hidden, swap TO documents, hidden TO swap");
        swaps++;
      }
    })();
    let refused = 0;
    for (let round = 0; round < 100; round++) {
      await using database = await connectReadOnly(accessOf(schema, schema.dumpUser));
      await inspect(clinic.sitesPath, ["default"], database).catch(() => refused++);
    }
    racing = false;
    await race;

    expect(await witnesses()).toEqual([]);
    expect(swaps).toBeGreaterThan(10);
    expect(refused).toBeLessThan(100);
  });
});

describe("a view that runs a function when its columns are asked for", () => {
  it("is left out of the dump, which says so, and is not run", async () => {
    await asOpenEmr(
      trap("trap", "VARCHAR(5)", "'|'"),
      "CREATE SQL SECURITY INVOKER VIEW columns_run AS SELECT id FROM documents WHERE url LIKE 'x' ESCAPE trap(2)",
      "CREATE SQL SECURITY INVOKER VIEW over_it AS SELECT id FROM columns_run",
    );
    await other.query("TRUNCATE witness"); // its maker ran it, and is not who we protect

    const { manifest } = await takeDump(await contextOf("columns"));

    expect(await witnesses()).toEqual([]);
    expect(manifest.warnings).toContainEqual(
      expect.objectContaining({
        code: "views-not-looked-at",
        message: expect.stringContaining("columns_run, over_it"),
      }),
    );
  });
});

describe("a dump user", () => {
  it("that may change something is warned of, with the rights and the REVOKE", async () => {
    const warnings = (await planDump(await contextOf("plan"))).warnings;

    const { user } = clinic.schema.dumpUser;
    const found = warnings.find(({ code }) => code === "dump-user-may-change");
    expect(found?.message).toContain(`REVOKE INSERT ON \`${other.name}\`.* FROM \`${user}\`@\`%\``);
    expect(found?.message).toContain(`REVOKE EXECUTE ON \`${clinic.schema.name}\`.*`);
    expect(found?.message).not.toMatch(/PASSWORD|\*[0-9A-F]{40}/);
  });

  it("that may not see stored routines gets an error with the GRANT that shows them", async () => {
    const { name, dumpUser } = clinic.schema;
    await clinic.schema.query(`REVOKE SELECT ON mysql.proc FROM ${sqlName(dumpUser.user)}@'%'`);
    await clinic.schema.query(`REVOKE EXECUTE ON ${sqlName(name)}.* FROM ${sqlName(dumpUser.user)}@'%'`);

    const { manifest } = await takeDump(await contextOf("routines"));

    expect(manifest.database.programs.map(({ section }) => section)).not.toContain("routines");
    expect(manifest.warnings).toContainEqual(
      expect.objectContaining({
        code: "routines-not-visible",
        message: expect.stringContaining("GRANT SELECT ON mysql.proc"),
      }),
    );
  });
});
