import type { CliCommand } from "../defineCommand.ts";
import { command as browse } from "./browse.ts";
import { command as check } from "./check.ts";
import { command as checkDestination } from "./checkDestination.ts";
import { completionOf } from "./completion.ts";
import { command as configCheck } from "./configCheck.ts";
import { command as copy } from "./copy.ts";
import { command as doctor } from "./doctor.ts";
import { command as drill } from "./drill.ts";
import { command as dump } from "./dump.ts";
import { command as dumps } from "./dumps.ts";
import { command as dumpsShow } from "./dumpsShow.ts";
import { command as exportDatabase } from "./exportDatabase.ts";
import { command as exportSites } from "./exportSites.ts";
import { command as exports } from "./exports.ts";
import { command as health } from "./health.ts";
import { command as init } from "./init.ts";
import { command as jobs } from "./jobs.ts";
import { command as mailTest } from "./mailTest.ts";
import { command as notifyFailure } from "./notifyFailure.ts";
import { command as notifyTest } from "./notifyTest.ts";
import { command as redeploy } from "./redeploy.ts";
import { command as report } from "./report.ts";
import { command as restore } from "./restore.ts";
import { command as retention } from "./retention.ts";
import { command as rotateAdmin } from "./rotateAdmin.ts";
import { command as rotateDatabase } from "./rotateDatabase.ts";
import { command as rotateMaster } from "./rotateMaster.ts";
import { command as rotateSmtp } from "./rotateSmtp.ts";
import { command as run } from "./run.ts";
import { command as schedules } from "./schedules.ts";
import { command as users } from "./users.ts";
import { command as watch } from "./watch.ts";

/** Every command, in the order of the help. */
export const commands: readonly CliCommand[] = [
  init,
  dump,
  dumps,
  dumpsShow,
  browse,
  copy,
  restore,
  drill,
  check,
  checkDestination,
  health,
  retention,
  users,
  rotateDatabase,
  rotateAdmin,
  rotateMaster,
  rotateSmtp,
  mailTest,
  redeploy,
  exportDatabase,
  exportSites,
  exports,
  report,
  configCheck,
  doctor,
  notifyTest,
  notifyFailure,
  jobs,
  run,
  watch,
  schedules,
  completionOf(() => commands),
];
