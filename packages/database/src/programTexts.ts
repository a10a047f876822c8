import type { DatabaseAccess } from "./access.ts";
import type { SourceDescription } from "./describeSource.ts";
import { dumpText, namedTables } from "./dumpText.ts";
import type { ProgramSection } from "./sqlScanner.ts";

/** Routines, triggers, views and events of a schema as SQL, as far as it has any; one character a byte (Latin-1). */
export const programTexts = async (
  access: DatabaseAccess,
  source: SourceDescription,
  settings: Parameters<typeof dumpText>[3],
): Promise<readonly (readonly [ProgramSection, string])[]> => {
  const none = ["--no-data", "--no-create-info"];
  const tables = source.tables.map(({ name }) => name);
  // Asked for a whole schema, mariadb-dump looks at each view on its way to the routines, and a view can run things.
  const one = namedTables(access, tables.slice(0, 1));
  const wanted: readonly (readonly [ProgramSection, number, readonly string[]])[] = [
    ["routines", source.routines, [...none, "--skip-triggers", "--routines", ...one]],
    ["triggers", source.triggers, [...none, "--triggers", "--add-drop-trigger", ...namedTables(access, tables)]],
    ["views", source.views.length, ["--no-data", "--skip-triggers", ...namedTables(access, source.views)]],
    ["events", source.events, [...none, "--skip-triggers", "--events", ...one]],
  ];
  const texts: [ProgramSection, string][] = [];
  for (const [section, count, args] of wanted)
    if (count > 0) texts.push([section, await dumpText(access, section, args, settings)]);
  return texts;
};
