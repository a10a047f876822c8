import type * as z from "zod";
import * as field from "../fields.ts";
import type { Resolved } from "../references.ts";
import { type Complain, complain } from "../rules.ts";
import { loginShape, needsOnePassword, settleLogin } from "./login.ts";

/** A database server and someone who may log in there. */
export const serverShape = {
  host: field.host,
  port: field.port.default(3306),
  ...loginShape,
  /** `off`: plain text. `required`: encrypted, certificate not checked. `verify`: certificate and host name checked. */
  tls: field.tlsMode.optional(),
  /** PEM file of the authorities to trust; without it the system's. */
  caFile: field.caFile.optional(),
};

export const serverRules = (
  settings: {
    readonly password?: unknown;
    readonly passwordFile?: unknown;
    readonly tls?: unknown;
    readonly caFile?: unknown;
  },
  context: Complain,
): void => {
  needsOnePassword(settings, context);
  if (settings.tls === "off" && settings.caFile !== undefined) {
    complain(context, ["caFile"], 'has no use with tls "off"; say tls "verify", or leave caFile out');
  }
};

export type WrittenServer = Resolved<z.output<z.ZodObject<typeof serverShape>>>;

export const settleServer = <Server extends WrittenServer>({ tls, ...server }: Server) => ({
  ...settleLogin(server),
  tls: tls ?? (server.caFile === undefined ? ("required" as const) : ("verify" as const)),
});

/** A server's place, and that of the one that restores write to, as they were written. */
export interface WrittenPlaces {
  readonly host: string;
  readonly port: number;
  readonly restore?: { readonly host?: string | undefined; readonly port?: number | undefined } | undefined;
}

/** Where restores write, and drills that name no server: a server that dumps read from may be one that only reads. */
export const restorePlaceOf = ({ host, port, restore: { host: own, port: ownPort } = {} }: WrittenPlaces) => ({
  host: own ?? host,
  port: ownPort ?? (own === undefined ? port : 3306),
});

/** A server as the product works with it. */
export type DatabaseServer = ReturnType<typeof settleServer<WrittenServer>>;
