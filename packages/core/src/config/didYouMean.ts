/** Edit distance (insert, delete, replace, swap of neighbours). */
const distance = (left: string, right: string): number => {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1] ? 0 : 1;
      const steps = [(last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (last[column - 1] ?? 0) + same];
      const swapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (swapped) steps.push((beforeLast[column - 2] ?? 0) + 1);
      current.push(Math.min(...steps));
    }
    beforeLast = last;
    last = current;
  }
  return last[right.length] ?? 0;
};

/** The known word that somebody probably meant, or `undefined` when none is close. Case does not count. */
export const didYouMean = (word: string, known: readonly string[]): string | undefined => {
  if (word.length > 64) return undefined;
  const [closest] = known
    .map((candidate) => ({ candidate, steps: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((left, right) => left.steps - right.steps);
  return closest && closest.steps <= Math.max(1, Math.floor(closest.candidate.length / 3))
    ? closest.candidate
    : undefined;
};
