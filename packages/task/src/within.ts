import { InvalidInputError } from "@openemr-ops/core/errors";

/** Runs work whose issues name fields of `place`, and puts that before their paths. */
export const within = async <Result>(place: string, work: () => Promise<Result>): Promise<Result> => {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    const issues = error.issues.map(({ path, message }) => ({
      path: path ? `${place}: ${path}` : place,
      message,
    }));
    throw new InvalidInputError(issues, { cause: error });
  }
};
