import type * as z from "zod";
import * as field from "../fields.ts";
import type { Resolved } from "../references.ts";
import { onAnyObject } from "../rules.ts";
import { strict } from "../strict.ts";
import { serverRules, serverShape, settleServer, type WrittenServer } from "./server.ts";

/** Where a drill may work, and as whom; not set, the installation's own server, its restoring user and the system's temporary directory serve. */
export const drillShape = strict({
  /** Without `host` a user on the installation's own server. */
  database: strict({ ...serverShape, host: field.host.optional(), port: field.port.optional() })
    .superRefine(serverRules, onAnyObject)
    .optional(),
  directory: field.place.optional(),
});

type WrittenDrill = Resolved<z.output<typeof drillShape>>;

/** Where a server is and how it is reached, without who logs in. */
const placeOf = ({ host, port, tls, caFile }: WrittenServer) => ({
  host,
  port,
  ...(tls === undefined ? {} : { tls }),
  ...(caFile === undefined ? {} : { caFile }),
});

/** @param own the installation's server as it was written, for defaults that follow from its fields */
const settleDrillServer = ({ host, port, ...login }: NonNullable<WrittenDrill["database"]>, own: WrittenServer) =>
  settleServer({
    ...(host === undefined ? placeOf(own) : { host, port: 3306 }),
    ...(port === undefined ? {} : { port }),
    ...login,
  });

export const settleDrill = ({ database, ...rest }: WrittenDrill, own: WrittenServer) => ({
  ...rest,
  ...(database ? { database: settleDrillServer(database, own) } : {}),
});
