import { readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { planRestore, restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aSource, type Source } from "../../support/aSource.ts";
import { contextFor } from "../../support/dumpContext.ts";

let source: Source;
beforeAll(async () => {
  source = await aSource();
});
afterAll(() => source.remove());

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o7777;

describe("a restore where nothing is left", () => {
  it("makes schema and directory, and leaves the tree open to whom it was open before", async () => {
    const { schema, directory, sitesPath } = source;
    await takeDump(await contextFor({ schema, sitesPath, directory }));
    const lost = join(directory, "new-machine", "openemr", "sites");
    const fresh = await contextFor({
      schema: { ...schema, name: `${schema.name}_new` },
      sitesPath: lost,
      directory,
    });
    const options = { dump: "latest", inPlace: true };
    expect(await planRestore(fresh, options)).toMatchObject({ dryRun: true, target: { sites: lost, inPlace: true } });

    const verdict = await restoreDump(fresh, options);
    expect(verdict).toMatchObject({ verdict: "passed", keyProof: "proven" });
    expect(verdict.next).toEqual([expect.stringMatching(/nothing was there before, so schema .* are new$/)]);
    expect((await readdir(lost)).filter((name) => name.startsWith("."))).toEqual([]);
    const beside = `SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name LIKE '${schema.name}\\_new\\_%'`;
    expect(await schema.query(beside)).toEqual([]);
    expect(await modeOf(lost)).toBe(await modeOf(sitesPath));
    expect((await modeOf(dirname(lost))) & 0o055).toBe(0o055);
    const [row] = await schema.query(`SELECT COUNT(*) AS n FROM \`${schema.name}_new\`.patient_data`);
    expect(row?.n).toBe(source.estate.rows.patient_data);
  });
});
