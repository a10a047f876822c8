/** The password in a text, or why it cannot be one, in words that follow "it" and never quote the text. */
export type PasswordText = { readonly password: string } | { readonly problem: string };

const passwordProblem = (password: string): string | undefined => {
  if (password === "") return "is empty";
  if (/[\r\n]/.test(password)) return "has a line break inside; a password is one line";
  if (password.includes("\0")) return "has a zero byte inside";
  return undefined;
};

/**
 * The password in the text of a file, a variable or a secret. One line break at the end is not part of it: programs write one,
 * and copies of the file keep it. Every secret is read through this function, so that the same file works wherever it is kept.
 */
export const passwordIn = (text: string): PasswordText => {
  const password = text.replace(/\r?\n$/, "");
  const problem = passwordProblem(password);
  return problem === undefined ? { password } : { problem };
};

/** The same for a secret of several lines, which is read whole. */
export const documentIn = (text: string): PasswordText => {
  if (text.trim() === "") return { problem: "is empty" };
  return text.includes("\0") ? { problem: "has a zero byte inside" } : { password: text };
};
