import mysql from "mysql2/promise";
import { expect, inject, it } from "vitest";
import { freshSchema } from "../support/database.ts";

const { product, caFile } = inject("server");

it("is the product that it says, and gives a schema as OpenEMR makes it", async () => {
  await using schema = await freshSchema();
  const [row] = await schema.query("SELECT VERSION() AS version, @@collation_database AS collation");

  expect(/MariaDB/.test(String(row?.version)) ? "MariaDB" : "MySQL").toBe(product);
  expect(row?.collation).toBe("utf8mb4_general_ci");
});

it("lets nobody in over TCP without TLS where it says so", async () => {
  await using schema = await freshSchema();
  const { host, port, dumpUser } = schema;
  const plain = async () => (await mysql.createConnection({ host, port, ...dumpUser })).end();

  if (caFile === undefined) await expect(plain()).resolves.toBeUndefined();
  else await expect(plain()).rejects.toThrow(/insecure transport/);
});
