import * as z from "zod";
import * as field from "../fields.ts";
import type { Resolved } from "../references.ts";
import { onAnyObject } from "../rules.ts";
import { strict } from "../strict.ts";
import {
  restorePlaceOf,
  serverRules,
  serverShape,
  settleServer,
  type WrittenPlaces,
  type WrittenServer,
} from "./server.ts";

/** Where a drill may work, and as whom; not set, the system's temporary directory serves, and as server what `settleDrill` says. */
export const drillShape = strict({
  database: z
    .union(
      [
        /** A server that the drill starts for itself. */
        z.literal("own"),
        /** Without `host` a user on the server that restores write to. */
        strict({ ...serverShape, host: field.host.optional(), port: field.port.optional() }).superRefine(
          serverRules,
          onAnyObject,
        ),
      ],
      { error: 'expected "own", or an object with a user' },
    )
    .optional(),
  directory: field.place.optional(),
  /** A restore that takes longer is too slow; reports compare drills with it. */
  goalMinutes: field.goalMinutes.optional(),
});

type WrittenDrill = Resolved<z.output<typeof drillShape>>;
type WrittenDrillServer = Exclude<NonNullable<WrittenDrill["database"]>, "own">;

type LiveServer = WrittenServer & WrittenPlaces;

/** Where a restore would write and how that is reached, without who logs in. */
const placeOf = ({ tls, caFile, ...live }: LiveServer) => ({
  ...restorePlaceOf(live),
  ...(tls === undefined ? {} : { tls }),
  ...(caFile === undefined ? {} : { caFile }),
});

/** @param live the installation's server as it was written, for defaults that follow from its fields */
const settleDrillServer = ({ host, port, ...login }: WrittenDrillServer, live: LiveServer) =>
  settleServer({
    ...(host === undefined ? placeOf(live) : { host, port: 3306 }),
    ...(port === undefined ? {} : { port }),
    ...login,
  });

/**
 * @param live the installation's server as it was written
 * @param platform on `ecs` a drill has its own server unless another is set; elsewhere the user that restores works on the
 *   live one
 */
export const settleDrill = (
  { database, ...rest }: WrittenDrill,
  live: LiveServer,
  platform: { readonly kind: string },
) => {
  const chosen = database ?? (platform.kind === "ecs" ? ("own" as const) : undefined);
  return {
    ...rest,
    ...(chosen ? { database: chosen === "own" ? chosen : settleDrillServer(chosen, live) } : {}),
  };
};
