import { objectLink } from "@openemr-ops/core/consoleLinks";
import { DestinationMissingError } from "@openemr-ops/core/errors";
import { listManifestIds } from "@openemr-ops/dumps/manifest";
import { renderReport } from "@openemr-ops/report/renderReport";
import type { Report } from "@openemr-ops/report/report";
import type { Place } from "./program.ts";
import { dumpContext, dumpsOf } from "./programs/dumpContext.ts";

export interface StoredReport {
  /** Where it is: the destination's URL and the key. */
  readonly page: string;
  /** Its address in the console of its cloud; absent where there is none. */
  readonly link?: string;
  /** Of the page. */
  readonly bytes: number;
}

/** A job's result may be so long. */
const longestLink = 1024;

const keyOf = ({ installation, now }: Place): string =>
  `reports/${installation.id}/${now().toISOString().slice(0, 10)}.html`;

/** Where the page of today goes, below the first destination. */
export const reportPlace = (place: Place): { readonly key: string; readonly link?: string } => {
  const { destination } = dumpsOf(place).dumps;
  const { AWS_REGION, AWS_DEFAULT_REGION } = place.environment;
  const key = keyOf(place);
  const whole = destination.kind === "file" ? key : [destination.prefix, key].filter(Boolean).join("/");
  const link = objectLink(destination, whole, AWS_REGION ?? AWS_DEFAULT_REGION);
  return { key, ...(link === undefined || link.length > longestLink ? {} : { link }) };
};

/**
 * Stores the page of a report on one installation beside its dumps, as `reports/<installation>/<day>.html`. A second one of a
 * day, by UTC, replaces the first. Nothing deletes them. It goes only where dumps are: without any, a disk may not be mounted.
 *
 * @throws {ResidencyError} refused: the store is where data of this installation may not go
 * @throws the `Destination…Error` family: also what kept the report from reading the destination
 */
export const storeReport = async (place: Place, report: Report): Promise<StoredReport> => {
  const { destination, assertPlace } = await dumpContext(place);
  await assertPlace?.();
  const [first] = report.installations[0]?.stores ?? [];
  if (first?.unread) {
    await listManifestIds(destination, place.installation.id); // a store that still does not answer fails under its own name
    throw new DestinationMissingError(`it could not be read: ${first.unread.name}: ${first.unread.message}`);
  }
  if (!first?.dumps.some(({ state }) => state !== "failed" && state !== "expired"))
    throw new DestinationMissingError(`no dump of ${place.installation.id} is at ${destination.url}`);
  const { key, link } = reportPlace(place);
  const page = Buffer.from(renderReport(report));
  await destination.put(key, page);
  return { page: `${destination.url}/${key}`, ...(link === undefined ? {} : { link }), bytes: page.byteLength };
};
