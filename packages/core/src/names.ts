import type { JobKind } from "./jobs.ts";

/** What a control plane runs, each as one workflow. A retention run is the end of a dump's. */
export const workflowKinds = ["dump", "drill", "check", "restore"] as const satisfies readonly JobKind[];
export type WorkflowKind = (typeof workflowKinds)[number];

/** What a schedule may start. A restore is a person's decision. */
export const scheduledKinds = ["dump", "drill", "check"] as const satisfies readonly WorkflowKind[];

/** What operators call them. */
export const workflowNames: Readonly<Record<WorkflowKind, string>> = {
  dump: "DumpInstallation",
  drill: "RestoreDrill",
  check: "CheckRepository",
  restore: "RestoreInstallation",
};

/** Names of what one stage has in one account and region; no two stages and no two installations share one. */
export const namesOf = (stage: string) => {
  const prefix = `openemr-ops-${stage}`;
  return {
    prefix,
    jobsTable: `${prefix}-job-records`,
    bus: prefix,
    scheduleGroup: prefix,
    stateMachine: (installation: string, kind: WorkflowKind) => `${prefix}-${installation}-${workflowNames[kind]}`,
    schedule: (installation: string, kind: WorkflowKind) => `${installation}-${kind}`,
  };
};

/**
 * Whether a stage may be called so. `<stage>-<installation>` stands in names, so no stage may be the beginning of another up
 * to a hyphen: stages have no hyphen but for `dev-`, and none is called `dev`.
 */
export const isStage = (name: string): boolean =>
  /^(dev-)?[a-z0-9]+$/.test(name) && /^[a-z]/.test(name) && name !== "dev" && name.length <= longestStage;

/** Step Functions takes 80 characters; the longest installation's name that leaves room for stage and workflow. */
export const longestDeployedId = 32;
export const longestStage = 16;
