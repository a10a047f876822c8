/** Names of what one stage has in one account and region; no two stages and no two installations share one. */
export const namesOf = (stage: string) => {
  const prefix = `openemr-ops-${stage}`;
  return {
    prefix,
    jobsTable: `${prefix}-job-records`,
    bus: prefix,
    scheduleGroup: prefix,
    /** @param workflow what operators call it */
    stateMachine: (installation: string, workflow: string) => `${prefix}-${installation}-${workflow}`,
    schedule: (installation: string, kind: string) => `${installation}-${kind}`,
  };
};

/** So that names that a stage begins have room for what follows; see `events/jobKinds.ts`. */
export const longestStage = 16;

/**
 * Whether a stage may be called so. `<stage>-<installation>` stands in names, so no stage may be the beginning of another up
 * to a hyphen: stages have no hyphen but for `dev-`, and none is called `dev`.
 */
export const isStage = (name: string): boolean =>
  /^(dev-)?[a-z0-9]+$/.test(name) && /^[a-z]/.test(name) && name !== "dev" && name.length <= longestStage;
