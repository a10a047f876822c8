import * as field from "../fields.ts";
import { complain, onAnyObject } from "../rules.ts";
import { section } from "../section.ts";
import { strict } from "../strict.ts";

/** Where OpenEMR's files are. */
export const sites = section(
  strict({
    /** Directory that holds `default/` and the other sites. */
    path: field.sitesPath,
    /** The EFS file system that tasks mount there. */
    fileSystemId: field.awsId("fs", "EFS file system").optional(),
    accessPointId: field.awsId("fsap", "EFS access point").optional(),
  }).superRefine(({ fileSystemId, accessPointId }, context) => {
    if (accessPointId !== undefined && fileSystemId === undefined)
      complain(context, ["fileSystemId"], "is missing; an access point is one of a file system");
  }, onAnyObject),
  (settings) => settings,
);
