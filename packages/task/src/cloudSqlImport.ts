import type { DestinationAddress } from "@openemr-ops/core/config/destinationAddress";
import { TargetUnsuitableError } from "@openemr-ops/core/errors";
import type { Manifest } from "@openemr-ops/dumps/manifest";

/** Text as one word of a POSIX shell. */
const shellWord = (text: string): string => (/^[\w./:=@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/**
 * The command that loads a dump into Cloud SQL, which reads plain or gzip SQL from Google Cloud Storage by itself.
 *
 * @throws {TargetUnsuitableError} refused: the dump is in another form or place, or encrypted
 * @see docs.cloud.google.com/sql/docs/mysql/import-export/import-export-sql
 */
export const cloudSqlImport = (
  destination: DestinationAddress,
  { dumpId, database }: Pick<Manifest, "dumpId" | "database">,
  intoDatabase: string,
): string => {
  const { part } = database;
  if (part.kind !== "object" || !part.key.endsWith(".sql.gz") || destination.kind !== "gcs") {
    throw new TargetUnsuitableError(
      `Cloud SQL cannot read dump ${dumpId}; it reads dumps of format "portable" with compression "gzip", without ageRecipients, at a gs:// destination`,
    );
  }
  const uri = `gs://${[destination.bucket, destination.prefix, part.key].filter(Boolean).join("/")}`;
  return `gcloud sql import sql INSTANCE ${shellWord(uri)} --database=${shellWord(intoDatabase)}`;
};
