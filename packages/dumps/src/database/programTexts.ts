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
  const wanted: readonly (readonly [ProgramSection, number, readonly string[]])[] = [
    ["routines", source.routines, [...none, "--skip-triggers", "--routines", access.name]],
    ["triggers", source.triggers, [...none, "--triggers", "--add-drop-trigger", ...namedTables(access, tables)]],
    ["views", source.views.length, ["--no-data", "--skip-triggers", ...namedTables(access, source.views)]],
    ["events", source.events, [...none, "--skip-triggers", "--events", access.name]],
  ];
  const texts: [ProgramSection, string][] = [];
  for (const [section, count, args] of wanted)
    if (count > 0) texts.push([section, await dumpText(access, section, args, settings)]);
  return texts;
};
