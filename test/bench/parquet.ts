import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startMariaDb } from "@openemr-ops/local/servers/mariadb";
import { benchPython } from "../support/analyticsPython.ts";
import { type Measured, measure } from "./measure.ts";
import { fillTables } from "./parquetTables.ts";

/**
 * Exports an audit log and a clinical form as Parquet with this product and with what a notebook's user would run instead, one
 * after the other: (a) pandas and pyarrow in chunks, (b) connectorx and pyarrow, the whole table in memory.
 */
const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "2000000" },
    only: { type: "string", default: "all" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write("npm run bench:parquet -- [--rows 2000000] [--only all|product]\n");
  process.exit(0);
}
const rows = Number(values.rows);
const say = (text: string) => process.stderr.write(`${text}\n`);
const directory = mkdtempSync(join(tmpdir(), "bench-parquet-"));
const at = (name: string) => join(directory, name);
const megabytes = (value: number) => `${(value / 1e6).toFixed(0)} MB`;

say(`making two tables of ${rows} rows ...`);
const server = await startMariaDb({
  directory: at("server"),
  extraArguments: ["--innodb-buffer-pool-size=2G", "--innodb-log-file-size=512M"],
});
try {
  await fillTables(server, "bench", rows);
  const secret = { MYSQL_PWD: server.password };
  const port = `${server.port}`;
  const ours = (table: string) =>
    measure(
      process.execPath,
      [
        "--max-semi-space-size=2",
        join(import.meta.dirname, "exportTable.ts"),
        port,
        "bench",
        table,
        at(`ours-${table}`),
      ],
      secret,
    );
  const python = (how: string) => (table: string) =>
    measure(
      benchPython(),
      [join(import.meta.dirname, "parquet.py"), how, port, "bench", table, at(`${how}-${table}.parquet`)],
      secret,
    );
  const runs: readonly (readonly [name: string, run: (table: string) => Promise<Measured>])[] = [
    ["openemr-ops, direct", ours],
    ...(values.only === "all"
      ? ([
          ["(a) pandas + pyarrow, in chunks", python("pandas")],
          ["(b) connectorx + pyarrow", python("connectorx")],
        ] as const)
      : []),
  ];
  const lines: string[] = [];
  for (const table of ["log", "clin"]) {
    let own: number | undefined;
    for (const [name, run] of runs) {
      say(`${table}: ${name} ...`);
      const measured = await run(table);
      const found = JSON.parse(measured.output) as { rows: number; bytes: number; cpuSeconds: number };
      if (found.rows !== rows) throw new Error(`${name} gave ${found.rows} of ${rows} rows`);
      const speed = rows / measured.seconds;
      own ??= speed;
      const cells = [
        table,
        name,
        `${Math.round(speed / 1000)} k`,
        `${(own / speed).toFixed(1)} x`,
        `${(found.cpuSeconds / (rows / 1e6)).toFixed(1)} s`,
        megabytes(measured.peakBytes),
        megabytes(found.bytes),
      ];
      say(`  ${cells.slice(2).join(", ")}`);
      lines.push(`| ${cells.join(" | ")} |`);
    }
  }
  process.stdout.write(
    `\n${rows} rows a table; ${availableParallelism()} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, the server beside; ${new Date().toISOString().slice(0, 10)}\n\n| table | with | rows a second | ours / theirs | its processor time for 1 M rows | peak memory | Parquet |\n| --- | --- | --- | --- | --- | --- | --- |\n${lines.join("\n")}\n`,
  );
} finally {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
}
