/** MySQL takes no longer names; MariaDB does. */
const longest = 32;

const named = (stem: string, end: string): string => `${[...stem].slice(0, longest - end.length).join("")}${end}`;

/** The first name that no user has yet: a user that exists is somebody's, and is never taken over. */
const free = (stem: string, letter: "a" | "b", taken: ReadonlySet<string>): string => {
  for (let count = 1; ; count++) {
    const name = named(stem, count === 1 ? `_${letter}` : `_${letter}${count}`);
    if (!taken.has(name)) return name;
  }
};

/** Names for the users of both slots where OpenEMR logs in as the server's administrator. */
export const namesFor = (schema: string, taken: ReadonlySet<string>): { readonly A: string; readonly B: string } => ({
  A: free(schema, "a", taken),
  B: free(schema, "b", taken),
});

/** A name for the user beside the live one, such as `openemr_b` beside `openemr`. */
export const nameBeside = (live: string, taken: ReadonlySet<string>): string => {
  const [, stem = live, letter] = /^(.+)_([ab])\d*$/s.exec(live) ?? [];
  return free(stem, letter === "b" ? "a" : "b", new Set([...taken, live]));
};
