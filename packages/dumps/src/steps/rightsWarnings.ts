import type { SourceDescription } from "@openemr-ops/database/describeSource";
import type { HiddenProgram } from "@openemr-ops/database/hiddenPrograms";
import type { SourceWarning } from "../manifest.ts";

const routinesGrant = ({ product, serverVersion }: SourceDescription): string => {
  if (product === "MySQL") return "GRANT SHOW_ROUTINE ON *.* to it (MySQL 8.0.20 or newer)";
  const [major = 0, minor = 0] = serverVersion.split(".").map(Number);
  return major > 11 || (major === 11 && minor >= 3)
    ? "GRANT SHOW CREATE ROUTINE to it on this schema"
    : "GRANT SELECT ON mysql.proc to it";
};

const lacking = (source: SourceDescription): SourceWarning[] => {
  const rights: Partial<Record<HiddenProgram, string>> = { triggers: "TRIGGER", events: "EVENT" };
  const programs = source.hidden.filter((hidden) => hidden !== "routines");
  return [
    ...(programs.length > 0
      ? [
          {
            code: "programs-not-visible",
            message: `the dump holds no ${programs.join(" and no ")}, for the database user may not see any: GRANT ${programs.map((hidden) => rights[hidden]).join(", ")} to it on this schema`,
          },
        ]
      : []),
    ...(source.hidden.includes("routines")
      ? [
          {
            code: "routines-not-visible",
            message: `the dump holds no stored functions and procedures, for the database user may not see any: ${routinesGrant(source)}`,
          },
        ]
      : []),
  ];
};

/** What the dump user may not see, so that the dump lacks it; and what it may do beyond what a dump needs. */
export const rightsWarnings = (source: SourceDescription): readonly SourceWarning[] => [
  ...lacking(source),
  ...(source.excess.length > 0
    ? [
        {
          code: "dump-user-may-change",
          message: `the database user may do more than a dump needs (${source.excess
            .map(({ rights, on }) => `${rights.join(", ")} on ${on}`)
            .join("; ")}), and what OpenEMR's own login leaves in the schema could use that: ${source.excess
            .map(({ revoke }) => revoke)
            .join("; ")}`,
          count: source.excess.length,
        },
      ]
    : []),
];
