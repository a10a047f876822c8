import type { JobKind } from "@openemr-ops/events/jobKinds";
import type { AnyProgram } from "../program.ts";
import { check } from "./check.ts";
import { copy } from "./copy.ts";
import { drill } from "./drill.ts";
import { dump } from "./dump.ts";
import { exportDatabase } from "./exportDatabase.ts";
import { exportSites } from "./exportSites.ts";
import { health } from "./health.ts";
import { redeploy } from "./redeploy.ts";
import { report } from "./report.ts";
import { restore } from "./restore.ts";
import { retention } from "./retention.ts";
import { rotateAdmin } from "./rotateAdmin.ts";
import { rotateDatabase } from "./rotateDatabase.ts";
import { rotateMaster } from "./rotateMaster.ts";
import { rotateSmtp } from "./rotateSmtp.ts";
import { users } from "./users.ts";

/** How each kind of job is done. */
export const programs = {
  dump,
  drill,
  check,
  copy,
  retention,
  restore,
  health,
  report,
  users,
  exportDatabase,
  exportSites,
  rotateDatabase,
  rotateAdmin,
  rotateMaster,
  rotateSmtp,
  redeploy,
} satisfies Readonly<Record<JobKind, AnyProgram>>;

export type Programs = typeof programs;
