/** Who gets the mail of an address. Keys: `billing@clinic.example`, `@clinic.example` for a domain, `*` for all the rest. */
export type Routes = Readonly<Record<string, readonly string[]>>;

/** `billing+2026@clinic.example` as `billing@clinic.example`. */
const withoutPlus = (address: string): string => address.replace(/\+[^@]*(?=@[^@]*$)/, "");

/** The targets of one recipient: by its address, its address without what follows a plus, its domain, the rest. Case does not count. */
const targetsOf = (recipient: string, routes: ReadonlyMap<string, readonly string[]>): readonly string[] => {
  const address = recipient.toLowerCase();
  const keys = [address, withoutPlus(address), address.slice(address.lastIndexOf("@")), "*"];
  return keys.map((key) => routes.get(key)).find((targets) => targets !== undefined) ?? [];
};

/** Where a message goes: each target once, in a fixed order, and the recipients that no route names. */
export const routed = (recipients: readonly string[], routes: Routes) => {
  const known = new Map(Object.entries(routes).map(([key, targets]) => [key.toLowerCase(), targets]));
  const each = recipients.map((recipient) => ({ recipient, targets: targetsOf(recipient, known) }));
  const targets = new Map(each.flatMap((one) => one.targets).map((target) => [target.toLowerCase(), target]));
  return {
    targets: [...targets.values()],
    unrouted: each.flatMap(({ recipient, targets: none }) => (none.length === 0 ? [recipient] : [])),
  };
};
