import { InvalidInputError } from "../errors.ts";
import { didYouMean } from "./didYouMean.ts";
import type { Config, Installation, InstallationWith, SectionName } from "./settings.ts";
import { quote } from "./show.ts";

/**
 * The installation with this id, or the only one when no id is given.
 *
 * @throws {InvalidInputError} fatal: unknown id, or several installations and no id; the message lists the ids
 */
export const selectInstallation = ({ installations }: Config, id?: string): Installation => {
  const [first, ...others] = installations;
  const found = id === undefined ? others.length === 0 && first : installations.find((one) => one.id === id);
  if (found) return found;
  const ids = installations.map((one) => one.id);
  const meant = id === undefined ? undefined : didYouMean(id, ids);
  const problem =
    id === undefined
      ? `is missing; expected one of ${ids.join(", ")}`
      : `there is no ${quote(id)}; ${meant ? `did you mean ${meant}?` : `expected one of ${ids.join(", ")}`}`;
  throw new InvalidInputError([{ path: "installation", message: problem }]);
};

const has = <Name extends SectionName>(
  installation: Installation,
  name: Name,
): installation is InstallationWith<Name> => installation[name] !== undefined;

/**
 * The installation, which has the section that a job works with.
 *
 * @throws {InvalidInputError} fatal: it has not; the issue names the section's place in the configuration
 */
export const requireSection = <Name extends SectionName>(
  { installations }: Config,
  installation: Installation,
  name: Name,
): InstallationWith<Name> => {
  if (has(installation, name)) return installation;
  const index = installations.findIndex(({ id }) => id === installation.id);
  const message = `is missing; this job needs it: add the section ${name} to the installation ${installation.id}`;
  throw new InvalidInputError([{ path: `installations[${index}].${name}`, message }]);
};
