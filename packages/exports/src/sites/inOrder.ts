/** A result that is not taken yet, or the work for it. */
class Begun<Result> {
  readonly work: Promise<Result>;
  done: { readonly result: Result } | undefined;

  constructor(work: Promise<Result>) {
    this.work = work;
  }
}

/**
 * Takes results in the order in which their work began, each as soon as it is there and those before it are taken. Up to `most`
 * are under way or wait.
 *
 * @param take is given each result; not before the one ahead has been taken
 */
export const inOrder = <Result>(most: number, take: (result: Result) => Promise<void> | undefined) => {
  const waiting: (Begun<Result> | Result)[] = [];
  let failure: { readonly error: unknown } | undefined;

  const begun = (work: Promise<Result>): Begun<Result> => {
    const one = new Begun(work);
    work.then(
      (result) => {
        one.done = { result };
      },
      (error: unknown) => {
        failure ??= { error };
      },
    );
    return one;
  };

  /** Takes what is there, and waits only while more than `left` are left. */
  const takeUntil = async (left: number): Promise<void> => {
    let taken = 0;
    try {
      while (taken < waiting.length) {
        const next = waiting[taken] as Begun<Result> | Result;
        const isBegun = next instanceof Begun;
        if (isBegun && !next.done && waiting.length - taken <= left) return;
        const result = isBegun ? (next.done?.result ?? (await next.work)) : next;
        taken += 1;
        const storing = take(result);
        if (storing) await storing;
      }
    } finally {
      waiting.splice(0, taken);
    }
  };

  return {
    /**
     * @returns set where it has to be waited for
     * @throws the first failure of any of the work so far
     */
    add: (work: Promise<Result> | Result): Promise<void> | undefined => {
      const isBegun = work instanceof Promise;
      if (!isBegun && waiting.length === 0 && !failure) return take(work);
      waiting.push(isBegun ? begun(work) : work);
      if (failure) throw failure.error;
      const [next] = waiting;
      return waiting.length >= most || (next instanceof Begun && next.done) ? takeUntil(most - 1) : undefined;
    },
    finish: (): Promise<void> => takeUntil(0),
    /** Waits until nothing is under way; failures are ignored. */
    settle: async (): Promise<void> => {
      await Promise.allSettled(waiting.map((each) => each instanceof Begun && each.work));
    },
  };
};
