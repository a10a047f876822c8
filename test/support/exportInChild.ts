import { text } from "node:stream/consumers";
import { exportDatabase } from "@openemr-ops/exports/database/exportDatabase";
import { fileDestination } from "@openemr-ops/files/fileDestination";
import * as z from "zod";
import { everything } from "./exportContext.ts";

const Asked = z.object({
  host: z.string(),
  port: z.number(),
  name: z.string(),
  user: z.string(),
  password: z.string(),
  directory: z.string(),
  exportId: z.string(),
});

/** Run as a program: exports the schema that standard input names. Prints the result and the most memory that it had. */
const exportInChild = async (): Promise<void> => {
  const { password, directory, exportId, ...place } = Asked.parse(JSON.parse(await text(process.stdin)));
  const result = await exportDatabase(
    {
      installation: "clinic-a",
      destination: fileDestination(directory),
      now: () => new Date(),
      signal: new AbortController().signal,
      progress: () => {},
      warn: () => {},
      database: { ...place, password: async () => password, tls: "off" },
      profile: everything,
    },
    { exportId },
  );
  console.log(JSON.stringify({ ...result, peakBytes: process.resourceUsage().maxRSS * 1024 }));
};

await exportInChild();
