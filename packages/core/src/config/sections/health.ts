import * as field from "../fields.ts";
import { complain, onAnyObject } from "../rules.ts";
import { section } from "../section.ts";
import { strict } from "../strict.ts";

/** Where OpenEMR is asked how it is, and what a healthy one answers. */
export const health = section(
  strict({
    /** OpenEMR's address, or that of one page of it; see `docs/health.md`. */
    url: field.httpUrl,
    /** A text of a healthy page, where OpenEMR's own pages are not what answers. */
    bodyIncludes: field.pageText.optional(),
    /** `required`: encrypted, certificate not checked. `verify`: certificate and host name checked. */
    tls: field.pageTls.optional(),
    /** PEM file of the authorities to trust; without it the system's. */
    caFile: field.caFile.optional(),
  }).superRefine(({ url, tls, caFile }, context) => {
    const plain = typeof url === "string" && /^http:/i.test(url);
    for (const [name, value] of Object.entries({ tls, caFile }))
      if (plain && value !== undefined) complain(context, [name], "is for an address that starts with https://");
    if (tls === "required" && caFile !== undefined)
      complain(context, ["caFile"], 'has no use with tls "required"; say tls "verify", or leave caFile out');
  }, onAnyObject),
  ({ tls, ...rest }) => ({ ...rest, tls: tls ?? ("verify" as const) }),
);
