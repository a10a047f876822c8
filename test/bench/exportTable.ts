import { exportDatabase } from "@openemr-ops/exports/database/exportDatabase";
import { fileDestination } from "@openemr-ops/files/fileDestination";
import { everything } from "../support/exportContext.ts";

/** Exports one table as the program does, in a process of its own; prints rows, bytes and processor seconds. */
const [port, schema, table, directory] = process.argv.slice(2);
const result = await exportDatabase(
  {
    installation: "bench",
    destination: fileDestination(directory ?? ""),
    now: () => new Date(),
    signal: new AbortController().signal,
    progress: () => {},
    warn: () => {},
    database: {
      host: "127.0.0.1",
      port: Number(port),
      name: schema ?? "",
      user: "root",
      password: async () => process.env.MYSQL_PWD ?? "",
      tls: "off",
    },
    profile: everything,
  },
  { exportId: "bench", tables: [table ?? ""] },
);
const { userCPUTime, systemCPUTime } = process.resourceUsage();
process.stdout.write(
  JSON.stringify({ rows: result.rows, bytes: result.bytes, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6 }),
);
