import * as field from "../fields.ts";
import { onAnyObject } from "../rules.ts";
import { section } from "../section.ts";
import { strict } from "../strict.ts";
import { loginShape, needsOnePassword, settleLogin } from "./login.ts";

/** What an OpenEMR logs in with after a restore: the values that go into `sqlconf.php`. A file of its own, or a job's input. */
export const connection = section(
  strict({
    host: field.host,
    port: field.port.default(3306),
    /** The schema's name. */
    name: field.schemaName,
    ...loginShape,
  }).superRefine(needsOnePassword, onAnyObject),
  settleLogin,
  "passwordFile",
);
