/** Prefix of every resource and stack name. */
export const appName = "openemr-ops";
