import type { JobStore } from "@openemr-ops/core/jobs";
import type { LockStore } from "@openemr-ops/core/locks";
import type { DestinationFinding } from "@openemr-ops/dumps/checkDestination";
import { type BrowsedDump, type BrowsedFile, browseDump, browseFiles } from "@openemr-ops/dumps/steps/browseDump";
import { type DumpAges, dumpAges } from "@openemr-ops/dumps/steps/dumpAges";
import { chooseDump, type ListedDump, listDumps, type ShownDump, showDump } from "@openemr-ops/dumps/steps/listDumps";
import { wordsOfDestination } from "@openemr-ops/dumps/steps/surveyDestination";
import type { AtCopy } from "@openemr-ops/events/inputs/common";
import type { ListedExport } from "@openemr-ops/exports/listExports";
import { stoppedBy } from "@openemr-ops/jobs/runJob";
import type { Survey } from "@openemr-ops/report/survey";
import { checkChannels } from "./checkChannels.ts";
import { checkSecrets } from "./checkSecrets.ts";
import { cloudSqlImport } from "./cloudSqlImport.ts";
import { type Examination, examine } from "./doctor/examine.ts";
import type { DoctorFinding } from "./doctor/finding.ts";
import { openNotifier } from "./openNotifier.ts";
import { openStores } from "./openStores.ts";
import type { Place } from "./program.ts";
import { copyTo } from "./programs/copyTo.ts";
import { dumpContext, dumpsOf } from "./programs/dumpContext.ts";
import { type Programs, programs } from "./programs/index.ts";
import { listExportsOf } from "./programs/listExportsOf.ts";
import { type RestorePartProgram, restorePartProgram } from "./programs/restorePart.ts";
import { storeReport } from "./storeReport.ts";
import { surveyInstallation } from "./surveyInstallation.ts";
import { type MailTestResult, testMail } from "./testMail.ts";
import { tryDestination } from "./tryDestination.ts";
import type { SecretFinding } from "./trySecret.ts";

/** How a dump gets into Cloud SQL. Nothing was written: the service loads it when a person gives the command. */
export interface CloudSqlPlan {
  readonly dumpId: string;
  readonly takenAt: string;
  readonly command: string;
}

/** All that command line and container can do. Errors are those of `@openemr-ops/core/errors`. */
export interface Operations {
  readonly programs: Programs;
  /** Copies to a place that is no copy of the configuration. */
  readonly copyTo: typeof copyTo;
  /** Records and locks for programs that no workflow runs. */
  openStores(place: Place): Promise<{ readonly jobs: JobStore; readonly locks: LockStore }>;
  /** Newest first. `copy`, here and below: which store; not set, the first destination. */
  listDumps(place: Place, options?: AtCopy): Promise<readonly ListedDump[]>;
  /** What is in a dump, without restoring it. */
  browseDump(place: Place, options: AtCopy & { readonly dump: string }): Promise<BrowsedDump>;
  /** Lists files of a dump one after the other, as fast as `onFile` takes them. */
  browseFiles(
    place: Place,
    options: AtCopy & { readonly dump: string; readonly files: readonly string[] },
    onFile: (file: BrowsedFile) => Promise<void>,
  ): Promise<void>;
  /** A restore of a part of a dump; no workflow runs it. */
  readonly restorePart: RestorePartProgram;
  /** What is at a store that has no dump of the installation, and what to do about it. */
  describeStore(place: Place, options?: AtCopy): Promise<string>;
  /** One dump with its manifest. */
  showDump(place: Place, options: AtCopy & { readonly dump: string }): Promise<ShownDump>;
  /** How old the newest dumps are. Needs no password. */
  dumpAges(place: Place, options?: AtCopy): Promise<DumpAges>;
  /** Newest first. */
  listExports(place: Place): Promise<readonly ListedExport[]>;
  /** All that a report says of the installation. */
  survey(place: Place): Promise<Survey>;
  /** Stores the page of a report on the installation alone beside its dumps. */
  readonly storeReport: typeof storeReport;
  planCloudSql(
    place: Place,
    options: AtCopy & { readonly dump: string; readonly intoDatabase: string },
  ): Promise<CloudSqlPlan>;
  /** Reads and tries each secret of the installation. */
  checkSecrets(place: Place): Promise<readonly SecretFinding[]>;
  /** Opens the channels of a configuration for jobs that no workflow runs. */
  openNotifier: typeof openNotifier;
  /** Reads and tries the secrets of channels. */
  checkChannels: typeof checkChannels;
  checkDestination(place: Place, options?: AtCopy): Promise<readonly DestinationFinding[]>;
  /** Tries what later jobs need; see `doctor/examine.ts`. */
  examine(examination: Examination): Promise<readonly DoctorFinding[]>;
  /** Sends a message with each site's own login. */
  testMail(place: Place, options?: { readonly to?: string | undefined }): Promise<MailTestResult>;
}

export const operations: Operations = {
  programs,
  copyTo,
  openStores,
  openNotifier,
  checkChannels: (settings, place) => stoppedBy(place.signal, () => checkChannels(settings, place)),
  browseDump: async (place, { dump, copy }) => browseDump(await dumpContext(place, copy), dump),
  browseFiles: async (place, { copy, ...options }, onFile) =>
    browseFiles(await dumpContext(place, copy), options, onFile),
  restorePart: restorePartProgram,
  listDumps: (place, { copy } = {}) => stoppedBy(place.signal, async () => listDumps(await dumpContext(place, copy))),
  describeStore: (place, { copy } = {}) =>
    stoppedBy(place.signal, async () => wordsOfDestination(await dumpContext(place, copy))),
  showDump: async (place, { dump, copy }) => showDump(await dumpContext(place, copy), dump),
  dumpAges: async (place, { copy } = {}) => dumpAges(await dumpContext(place, copy), copy !== undefined),
  listExports: listExportsOf,
  survey: (place) => surveyInstallation(place, listExportsOf),
  storeReport,
  planCloudSql: async (place, { dump, intoDatabase, copy }) => {
    const manifest = await chooseDump(await dumpContext(place, copy), dump);
    const command = cloudSqlImport(dumpsOf(place, copy).dumps.destination, manifest, intoDatabase);
    return { dumpId: manifest.dumpId, takenAt: manifest.takenAt, command };
  },
  checkSecrets,
  examine,
  testMail,
  checkDestination: (place, options) => stoppedBy(place.signal, () => tryDestination(place, options)),
};
