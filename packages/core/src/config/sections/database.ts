import * as field from "../fields.ts";
import { onAnyObject } from "../rules.ts";
import { section } from "../section.ts";
import { strict } from "../strict.ts";
import { loginShape, needsOnePassword, settleLogin } from "./login.ts";
import { restorePlaceOf, serverRules, serverShape, settleServer } from "./server.ts";

/** OpenEMR's schema, read by the dump user. */
export const database = section(
  strict({
    ...serverShape,
    /** The schema's name. */
    name: field.schemaName,
    /** A user that may create schemas, on the same server unless `host` is set; the dump user when not set. */
    restore: strict({ host: field.host.optional(), port: field.port.optional(), ...loginShape })
      .superRefine(needsOnePassword, onAnyObject)
      .optional(),
  }).superRefine(serverRules, onAnyObject),
  ({ restore, ...rest }) => {
    const server = settleServer(rest);
    const { user, password } = server;
    return {
      ...server,
      restore: { ...restorePlaceOf({ ...rest, restore }), ...(restore ? settleLogin(restore) : { user, password }) },
    };
  },
  "passwordFile",
);
