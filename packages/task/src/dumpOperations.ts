import type { SecretReader } from "@openemr-ops/core/config/secrets";
import type { OpenEmrConnection } from "@openemr-ops/core/config/settings";
import { checkDestination } from "@openemr-ops/dumps/checkDestination";
import type { DumpContext } from "@openemr-ops/dumps/context";
import { applyRetention } from "@openemr-ops/dumps/steps/applyRetention";
import { checkDumps } from "@openemr-ops/dumps/steps/checkDumps";
import { drillDump } from "@openemr-ops/dumps/steps/drillDump";
import { chooseDump, listDumps } from "@openemr-ops/dumps/steps/listDumps";
import { planRestore, restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { planDump, takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { cloudSqlImport } from "./cloudSqlImport.ts";
import { openContext } from "./openContext.ts";
import { openDestination } from "./openDestination.ts";
import { openSecrets } from "./openSecrets.ts";
import type { DrillPlan, Job, Operations } from "./operations.ts";
import { trialStore } from "./trialStore.ts";

const contextOf = (job: Job): Promise<DumpContext> =>
  openContext(job.config, job.installation, {
    ...job,
    readSecret: openSecrets(job.environment),
    now: () => new Date(),
  });

/** A connection in the words of `sqlconf.php`. */
const sqlconfOf = async ({ host, port, user, password, name }: OpenEmrConnection, read: SecretReader) => ({
  host,
  port,
  login: user,
  pass: await read(password),
  dbase: name,
});

const planDrill = async (context: DumpContext, name: string): Promise<DrillPlan> => {
  const { dumpId, takenAt, database, sites } = await chooseDump(context, name);
  return {
    dryRun: true,
    dumpId,
    takenAt,
    tables: database.tables.length,
    rows: database.rows,
    databaseBytes: database.byteLength,
    files: sites.files,
    filesBytes: sites.byteLength,
  };
};

/** The real operations, each with a context of its own. */
export const dumpOperations: Operations = {
  takeDump: async (job, options) => {
    const context = await contextOf(job);
    return job.dryRun ? planDump(context) : takeDump(context, options);
  },
  listDumps: async (job) => listDumps(await contextOf(job)),
  restoreDump: async (job, { connection, ...options }) => {
    const context = await contextOf(job);
    const sqlconf = connection ? { connection: await sqlconfOf(connection, openSecrets(job.environment)) } : {};
    const restore = { ...options, ...sqlconf };
    return job.dryRun ? planRestore(context, restore) : restoreDump(context, restore);
  },
  planCloudSql: async (job, { dump, intoDatabase }) => {
    const manifest = await chooseDump(await contextOf(job), dump);
    const command = cloudSqlImport(job.installation.dumps.destination, manifest, intoDatabase);
    return { dumpId: manifest.dumpId, takenAt: manifest.takenAt, command };
  },
  drillDump: async (job, { dump }) => {
    const context = await contextOf(job);
    return job.dryRun ? planDrill(context, dump) : drillDump(context, dump);
  },
  checkDumps: async (job, { level, share }) => checkDumps(await contextOf(job), level, share),
  checkDestination: async ({ installation, environment, signal }) =>
    checkDestination(await openDestination(installation.dumps.destination), {
      now: () => new Date(),
      signal,
      openTrial: trialStore(installation, environment),
    }),
  applyRetention: async (job) => applyRetention(await contextOf(job), job.installation.dumps.retention, job.dryRun),
};
