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

/** A server as the product works with it. */
export type DatabaseServer = ReturnType<typeof settleServer<WrittenServer>>;
