import { onAnyObject } from "../rules.ts";
import { section } from "../section.ts";
import { strict } from "../strict.ts";
import { copyRules, settleCopy } from "./copies.ts";
import { destinationShape } from "./destination.ts";

const { retentionCredentials: _, ...shape } = destinationShape;

/** Where a person copies dumps to once: a destination that the configuration does not list. A file of its own. */
export const copyTarget = section(
  strict(shape).superRefine(copyRules, onAnyObject),
  settleCopy,
  "endpoint",
  "region",
  "pathStyle",
  "passwordFile",
);
