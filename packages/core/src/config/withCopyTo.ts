import { dirname, isAbsolute } from "node:path";
import { type InputIssue, InvalidInputError } from "../errors.ts";
import { overlap } from "./destinationAddress.ts";
import { parseJson } from "./jsonText.ts";
import { findPlaceIssues } from "./places.ts";
import { readText } from "./readText.ts";
import { checkReferences, type ReferenceSurroundings } from "./referenceChecks.ts";
import { resolveCopyTarget } from "./resolve.ts";
import { copyTarget } from "./sections/copyTarget.ts";
import type { Config, CopySettings, InstallationWith } from "./settings.ts";
import { parseStrictly } from "./strict.ts";

interface CopyToOptions {
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

const readTarget = async (to: string, options: CopyToOptions): Promise<CopySettings> => {
  const file = isAbsolute(to) ? to : undefined;
  const input: unknown = file === undefined ? { destination: to } : parseJson(await readText(file));
  const directory = dirname(file ?? "/");
  const parsed = parseStrictly(copyTarget.schema, input);
  const shapeIssues = "issues" in parsed ? parsed.issues : [];
  const surroundings: ReferenceSurroundings = { directory, ...options };
  const { issues } = await checkReferences(copyTarget.schema, input, shapeIssues, surroundings);
  const all = [...shapeIssues, ...issues];
  if ("data" in parsed && all.length === 0) return resolveCopyTarget(parsed.data, directory);
  throw new InvalidInputError(file === undefined ? all.map(({ message }) => ({ path: "to", message })) : all);
};

/** Places that the configuration has already: two stores in one place would overwrite each other. */
const takenIssues = ({ installations }: Config, { destination }: CopySettings): readonly InputIssue[] =>
  installations.flatMap(({ dumps, exports }, index) => {
    const places = [
      ...(dumps ? [[`installations[${index}].dumps`, dumps.destination] as const] : []),
      ...(dumps?.copies ?? []).map(
        (copy, number) => [`installations[${index}].dumps.copies[${number}]`, copy.destination] as const,
      ),
      ...(exports ? [[`installations[${index}].exports`, exports.destination] as const] : []),
    ];
    return places
      .filter(([, place]) => overlap(place, destination))
      .map(([name]) => ({
        path: "to",
        message: `is the same place as ${name}.destination, or one lies inside the other`,
      }));
  });

/**
 * The configuration with `to` as the only copy of this installation, so that whatever works with a copy works with that
 * place. Checks it as if it were written there. Reads only.
 *
 * @param to `file:///…`, `s3://…`, `gs://…`, or the absolute name of a JSON file with `destination` and what it needs:
 *   `endpoint`, `region`, `pathStyle`, `credentials`, `immutability`, `passwordFile`; without a password, the new repository
 *   gets that of the first
 * @throws {InvalidInputError} fatal: with the path `to`, or the field of the file
 */
export const withCopyTo = async <Loaded extends Config>(
  config: Loaded,
  installation: InstallationWith<"dumps">,
  to: string,
  options: CopyToOptions = {},
): Promise<{ readonly config: Loaded; readonly installation: InstallationWith<"dumps"> }> => {
  const target = await readTarget(to, options);
  const { dumps } = installation;
  const withCopy = { ...installation, dumps: { ...dumps, copies: [target] } };
  const changed = {
    ...config,
    installations: config.installations.map((one) => (one.id === installation.id ? withCopy : one)),
  };
  const places = findPlaceIssues(changed).map(({ message }) => ({ path: "to", message }));
  const password: readonly InputIssue[] =
    dumps.format === "portable" && target.password
      ? [
          {
            path: target.password.field,
            message: 'is for format "restic"; a portable dump is encrypted with ageRecipients',
          },
        ]
      : [];
  const issues = [...takenIssues(config, target), ...places, ...password];
  if (issues.length > 0) throw new InvalidInputError(issues);
  return { config: changed, installation: withCopy };
};
