import { text } from "node:stream/consumers";
import { dumpDatabase } from "@openemr-ops/database/dumpDatabase";
import * as z from "zod";

const Asked = z.object({
  host: z.string(),
  port: z.number(),
  name: z.string(),
  user: z.string(),
  password: z.string(),
  mariadbDump: z.string(),
});

/** Run as a program: dumps the schema that standard input names and forgets the bytes. Prints rows, bytes and the most memory that it had. */
const dumpInChild = async (): Promise<void> => {
  const { password, mariadbDump, ...place } = Asked.parse(JSON.parse(await text(process.stdin)));
  const { digest } = await dumpDatabase({ ...place, password: async () => password, tls: "off" }, () => undefined, {
    mariadbDump,
    stallSeconds: 60,
    now: () => new Date(),
    signal: new AbortController().signal,
    progress: () => {},
  });
  const tables = digest.tables.map(({ name, rows, byteLength }) => ({ name, rows, byteLength }));
  console.log(JSON.stringify({ tables, peakBytes: process.resourceUsage().maxRSS * 1024 }));
};

await dumpInChild();
