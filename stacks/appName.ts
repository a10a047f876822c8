/** Begins the names of what SST names, and with the stage those of the stacks. */
export const appName = "openemr-ops";
