/** The kinds of jobs, for fields that name one. `events/jobKinds.ts` is the list; a test compares both. */
export const jobNames = [
  "dump",
  "drill",
  "check",
  "copy",
  "retention",
  "restore",
  "health",
  "report",
  "users",
  "exportDatabase",
  "exportSites",
  "rotateDatabase",
  "rotateAdmin",
  "rotateMaster",
  "rotateSmtp",
  "redeploy",
] as const;

export type JobName = (typeof jobNames)[number];
