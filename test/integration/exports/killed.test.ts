import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { compareExport, manifestIn } from "../../support/compareExport.ts";
import { type FreshSchema, freshSchema } from "../../support/database.ts";
import { runStatements } from "../../support/runStatements.ts";

const child = join(import.meta.dirname, "../../support/exportInChild.ts");
const crashPoint = join(import.meta.dirname, "../../support/crashPoint.ts");
/** Places at which the process is killed; `EXPORT_KILLS=50` for more. */
const kills = Number(process.env.EXPORT_KILLS ?? 3);

let directory: string;
let schema: FreshSchema;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "killed-export-"));
  schema = await freshSchema();
  const tables = Array.from({ length: 12 }, (_, index) => [
    `CREATE TABLE t${index} (id INT PRIMARY KEY, words VARCHAR(200))`,
    `INSERT INTO t${index} SELECT seq, REPEAT('word ', seq % 40) FROM seq_1_to_${1 + index * 400}`,
  ]);
  await runStatements(schema, schema.name, tables.flat());
});
afterAll(async () => {
  await schema.drop();
  rmSync(directory, { recursive: true });
});

const run = (exportId: string, environment: Record<string, string> = {}) => {
  const { host, port, name, dumpUser } = schema;
  return spawnSync(process.execPath, ["--import", crashPoint, child], {
    input: JSON.stringify({ host, port, name, ...dumpUser, directory, exportId }),
    encoding: "utf8",
    env: { ...process.env, ...environment },
  });
};

it("that is killed anywhere leaves nothing that a reader trusts, and the next one is whole", {
  timeout: 600_000,
}, async () => {
  const trace = join(directory, "trace");
  expect(run("whole", { CRASH_TRACE: trace })).toMatchObject({ status: 0, stderr: "" });
  const effects = readFileSync(trace, "utf8").trimEnd().split("\n").length;
  const at = (exportId: string, name = "") => join(directory, "database", exportId, name);

  expect(effects).toBeGreaterThan(15);
  for (let kill = 0; kill < kills; kill++) {
    const effect = 1 + Math.round((kill * (effects - 1)) / Math.max(1, kills - 1));
    const { signal } = run(`killed-${kill}`, { CRASH_AT: `${effect}` });
    expect(signal).toBe("SIGKILL");
  }

  const trusted = readdirSync(join(directory, "database")).filter((exportId) => existsSync(at(exportId, "_SUCCESS")));
  expect(trusted).toEqual(["whole"]);
  expect(run("next")).toMatchObject({ status: 0, stderr: "" });
  expect(existsSync(at("next", "_SUCCESS"))).toBe(true);
  const { tables } = manifestIn(at("next"));
  const files = tables.flatMap((table) => table.files.map(({ path, bytes }) => [path, bytes]));
  expect(files.map(([path]) => [path, statSync(at("next", `${path}`)).size])).toEqual(files);
  expect(await compareExport(schema, at("next"))).toEqual([]);
});
