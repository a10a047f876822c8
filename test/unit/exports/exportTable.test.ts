import { DestinationAccessDeniedError } from "@openemr-ops/core/errors";
import type { DatabaseConnection } from "@openemr-ops/database/connection";
import { TableExport } from "@openemr-ops/exports/database/exportTable";
import { PageBuffers } from "@openemr-ops/exports/parquet/pageBuffers";
import { expect, it, vi } from "vitest";
import { memoryDestination } from "../../support/memoryDestination.ts";

const id = { name: "id", dataType: "int", columnType: "int(11)", nullable: false };
const planned = {
  described: { name: "log", engine: "InnoDB", estimatedRows: 0, columns: [id] },
  plan: { table: "log", columns: [{ name: "id", treatment: "kept" }], dropped: [] },
  named: false,
};
const field = { name: "id", columnType: 3, characterSet: 63, columnLength: 11, flags: 0, decimals: 0 };

/** Gives more rows than a file here takes, and is gone. */
const lostServer = {
  binaryRows: async (_sql: string, taker: Parameters<DatabaseConnection["binaryRows"]>[1]) => {
    const take = taker([field]);
    for (let row = 0; row < 150_000; row++) await take(Buffer.from([0, 0, row & 255, 0, 0, 0]), 0, 6);
    throw new Error("the server is gone");
  },
} as unknown as DatabaseConnection;

it.each([
  { may: "may delete", nothingLeft: true, left: 0 },
  { may: "may only write", nothingLeft: false, left: 1 },
])("a table that fails is taken back by who $may, and its own error stays", async ({ nothingLeft, left }) => {
  const inner = memoryDestination();
  const denied = async () => {
    throw new DestinationAccessDeniedError("no right to delete");
  };
  const destination = nothingLeft ? inner : { ...inner, delete: denied };
  const table = new TableExport(planned, {
    ...{ destination, prefix: "database/one", directory: "openemr.log", buffers: new PageBuffers(), fileBytes: 1 },
    signal: new AbortController().signal,
    onRows: () => {},
  });

  await expect(table.read(lostServer)).rejects.toThrow("the server is gone");
  await vi.waitFor(() => expect(inner.keys()).toEqual(["database/one/openemr.log/part-00000.parquet"]));
  expect(await table.abandon(new Error("the server is gone"))).toBe(nothingLeft);
  expect(inner.keys()).toHaveLength(left);
});
