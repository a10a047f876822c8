import { DestinationMissingError } from "@openemr-ops/core/errors";
import type { DumpContext } from "../context.ts";
import { listManifestIds } from "../manifest.ts";

/** Whether the destination is one where dumps were kept before: a restic repository, or a manifest of ours. */
export const isBegun = async ({ destination, installation, store }: DumpContext): Promise<boolean> =>
  store.format === "restic"
    ? (await destination.describe("config")) !== undefined
    : (await listManifestIds(destination, installation)).length > 0;

/**
 * A repository that held dumps and is gone means an unmounted disk or a wrong bucket more often than a wish to start anew.
 *
 * @param kind of the jobs that write there
 * @throws {DestinationMissingError} a job of this kind succeeded there, and now there is nothing
 */
export const assertNotLost = async (context: DumpContext, kind: "dump" | "copy"): Promise<void> => {
  if (await isBegun(context)) return;
  const earlier = (await context.jobs.list(context.installation)).find(
    (job) => job.kind === kind && job.status === "succeeded" && job.result?.destination === context.destination.url,
  );
  if (!earlier) return;
  throw new DestinationMissingError(
    `${context.destination.url} held dumps until ${earlier.endedAt}, and now no repository is there: is the volume mounted, the bucket the right one? To create a new repository there, set forceNewRepository`,
    { field: "forceNewRepository" },
  );
};
