import * as z from "zod";
import type { Resolved } from "../references.ts";
import { type Complain, complain, onAnyObject } from "../rules.ts";
import { strict } from "../strict.ts";
import { destinationRules, destinationShape, settleDestination } from "./destination.ts";
import { retention } from "./retention.ts";

/** One lock for each, and a name for each in `lockOrder`. */
export const mostCopies = 3;

const shape = strict({
  ...destinationShape,
  /** Not set: as many dumps as at the first destination. */
  retention: retention.optional(),
});

/** What fits together in the fields of a copy. */
export const copyRules = (
  settings: Parameters<typeof destinationRules>[0] & { readonly password?: unknown; readonly passwordFile?: unknown },
  context: Complain,
): void => {
  destinationRules(settings, context);
  if (settings.password !== undefined && settings.passwordFile !== undefined)
    complain(context, ["password"], "say either password or passwordFile, not both");
};

const error = "expected a list of copies, each with a destination";

/** Further destinations, at which every dump is kept too. */
export const copiesShape = z
  .array(shape.superRefine(copyRules, onAnyObject), { error })
  .max(mostCopies, { error: `expected ${mostCopies} copies at most` });

type WrittenCopy = Resolved<z.output<typeof shape>>;

/** What a copy has of its own: all else is as at the first destination. */
export const settleCopy = <Settings extends WrittenCopy>({
  destination,
  endpoint,
  region,
  pathStyle,
  password,
  passwordFile,
  ...own
}: Settings) => {
  const secret = password ?? passwordFile;
  return {
    ...own,
    destination: settleDestination({ destination, endpoint, region, pathStyle, immutability: own.immutability }),
    ...(secret ? { password: secret } : {}),
  };
};
