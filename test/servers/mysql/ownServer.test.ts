import { TargetUnsuitableError } from "@openemr-ops/core/errors";
import type { DumpContext } from "@openemr-ops/dumps/context";
import { drillDump } from "@openemr-ops/dumps/steps/drillDump";
import { listDumps } from "@openemr-ops/dumps/steps/listDumps";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { aClinic, type Clinic } from "../../support/aClinic.ts";
import { contextFor } from "../../support/dumpContext.ts";

let clinic: Clinic;
let context: DumpContext;
beforeEach(async () => {
  clinic = await aClinic();
  const drill = { directory: `${clinic.directory}/drills`, database: "own" } as const;
  context = await contextFor({ ...clinic, dumps: { format: "portable", drill } });
});
afterEach(() => clinic.remove());

describe("a dump of MySQL, drilled on MariaDB", () => {
  it("is proven row by row", async () => {
    await clinic.schema.query("CREATE TABLE held (id INT PRIMARY KEY, j JSON, f FLOAT, d DECIMAL(9,3), b BLOB)");
    await clinic.schema.query(
      `INSERT INTO held VALUES (1, '{"a": [1, "ä"]}', 0.1, 1.5, X'00ff'), (2, NULL, NULL, 0, '')`,
    );
    await takeDump(context);

    expect(await drillDump(context, "latest")).toMatchObject({
      verdict: "passed",
      differences: [],
      keyProof: "proven",
    });
  });

  it.each([
    {
      what: "a collation of a column",
      make: "CREATE TABLE newer (a VARCHAR(20) COLLATE utf8mb4_0900_ai_ci) CHARSET utf8mb4",
      said: /table newer has the collation utf8mb4_0900_ai_ci, which this server does not know/,
    },
    {
      what: "a default collation of a table",
      make: "CREATE TABLE newer (a INT) COLLATE utf8mb4_0900_as_cs",
      said: /table newer has the collation utf8mb4_0900_as_cs/,
    },
    {
      what: "a key on an expression",
      make: "CREATE TABLE newer (a INT, KEY k ((a + 1)))",
      said: /making table newer/,
    },
  ])("is refused where MariaDB cannot take it, and does not count as verified: $what", async ({ make, said }) => {
    await clinic.schema.query(make);
    await takeDump(context);
    const refusal: unknown = await drillDump(context, "latest").catch((error: unknown) => error);

    expect(refusal).toBeInstanceOf(TargetUnsuitableError);
    expect(String(refusal)).toMatch(said);
    expect(String(refusal)).toMatch(
      /The dump is of MySQL [\d.]+.*this drill's own server is MariaDB [\d.]+: set dumps\.drill\.database to a server/,
    );
    expect((await listDumps(context)).map(({ verified }) => verified)).toEqual([null]);
  });
});
