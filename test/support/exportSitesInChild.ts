import { text } from "node:stream/consumers";
import { s3Destination } from "@openemr-ops/aws/s3Destination";
import type { Destination } from "@openemr-ops/core/destination";
import { toOpsError } from "@openemr-ops/core/errors";
import { exportSites } from "@openemr-ops/exports/sites/exportSites";
import { keepHeapSmall } from "@openemr-ops/exports/sites/smallHeap";
import { fileDestination } from "@openemr-ops/files/fileDestination";
import * as z from "zod";
import { aSitesContext } from "./exportedSites.ts";

const Asked = z.object({
  sites: z.string(),
  exportId: z.string(),
  deletions: z.enum(["record", "mirror"]).default("record"),
  directory: z.string().optional(),
  s3: z.object({ endpoint: z.string(), bucket: z.string(), prefix: z.string(), region: z.string() }).optional(),
  user: z.number().optional(),
  killAt: z.union([z.number(), z.string()]).optional(),
});

/** Ends this program as the system would, a moment after the change with this number, or to a key like this, was begun. */
const killedAt = (destination: Destination, at: number | string): Destination => {
  let changes = 0;
  const counted = <Result>(key: string, work: Promise<Result>): Promise<Result> => {
    changes += 1;
    if (changes === at || (typeof at === "string" && key.startsWith(at)))
      setImmediate(() => process.kill(process.pid, "SIGKILL"));
    return work;
  };
  return {
    ...destination,
    put: (key, body, source) => counted(key, destination.put(key, body, source)),
    delete: (key) => counted(key, destination.delete(key)),
  };
};

/** Run as a program: exports the tree that standard input names. Prints the result, or the error's name and message, and the most memory it had. */
const exportSitesInChild = async (): Promise<void> => {
  const { sites, exportId, deletions, directory, s3, user, killAt } = Asked.parse(
    JSON.parse(await text(process.stdin)),
  );
  keepHeapSmall();
  if (user !== undefined) process.setuid?.(user);
  const opened = s3 ? s3Destination({ ...s3, pathStyle: true }) : fileDestination(directory ?? "");
  const destination = killAt === undefined ? opened : killedAt(opened, killAt);
  const result = await exportSites(aSitesContext(sites, destination, { deletions }), { exportId }).catch(
    (error: unknown) => ({ failed: toOpsError(error).name, message: String(error) }),
  );
  const { user: userTime, system } = process.cpuUsage();
  console.log(
    JSON.stringify({
      ...result,
      peakBytes: process.resourceUsage().maxRSS * 1024,
      cpuSeconds: (userTime + system) / 1e6,
    }),
  );
};

await exportSitesInChild();
