/** Lets work begin while what is under way weighs less than a limit; first come, first served. */
export interface Budget {
  within<Result>(weight: number, work: () => Promise<Result>): Promise<Result>;
}

export const budget = (limit: { readonly weight: number; readonly count: number }): Budget => {
  let weight = 0;
  let count = 0;
  const waiting: { readonly weight: number; readonly begin: () => void }[] = [];
  const fits = (more: number) => count === 0 || (count < limit.count && weight + more <= limit.weight);
  const admit = (): void => {
    for (let first = waiting[0]; first && fits(first.weight); first = waiting[0]) {
      waiting.shift();
      weight += first.weight;
      count += 1;
      first.begin();
    }
  };
  return {
    within: async (more, work) => {
      await new Promise<void>((begin) => {
        waiting.push({ weight: more, begin });
        admit();
      });
      try {
        return await work();
      } finally {
        weight -= more;
        count -= 1;
        admit();
      }
    },
  };
};
