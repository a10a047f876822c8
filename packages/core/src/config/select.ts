import { InvalidInputError } from "../errors.ts";
import { didYouMean } from "./didYouMean.ts";
import type { Config, Installation } from "./settings.ts";
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
