/** What makes a text unusable as a password, in words that follow "it"; `undefined` when it is fine. Never quotes the text. */
export const passwordProblem = (password: string): string | undefined => {
  if (password === "") return "is empty";
  if (/[\r\n]/.test(password)) return "has a line break inside; a password is one line";
  if (password.includes("\0")) return "has a zero byte inside";
  return undefined;
};
