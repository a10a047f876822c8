/**
 * Takes results in the order in which their work began, while up to `most` are under way or done.
 *
 * @param take is given each result; not before the one ahead has been taken
 */
export const inOrder = <Result>(most: number, take: (result: Result) => Promise<void> | undefined) => {
  const waiting: (Promise<Result> | Result)[] = [];
  let first = 0;
  let failure: { readonly error: unknown } | undefined;
  const takeFirst = async (): Promise<void> => {
    const next = waiting[first] as Promise<Result> | Result;
    first += 1;
    if (first === most) {
      waiting.splice(0, first);
      first = 0;
    }
    const result = next instanceof Promise ? await next : next;
    const taken = take(result);
    if (taken) await taken;
  };
  return {
    /** Waits while there is too much ahead. @throws the first failure of any of the work so far */
    add: async (work: Promise<Result> | Result): Promise<void> => {
      if (work instanceof Promise)
        work.catch((error: unknown) => {
          failure ??= { error };
        });
      waiting.push(work);
      if (failure) throw failure.error;
      while (waiting.length - first >= most) await takeFirst();
    },
    finish: async (): Promise<void> => {
      while (waiting.length > first) await takeFirst();
    },
    /** Waits until nothing is under way; failures are ignored. */
    settle: async (): Promise<void> => {
      await Promise.allSettled(waiting.slice(first));
    },
  };
};
