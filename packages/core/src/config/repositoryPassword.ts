/**
 * What makes a password unfit for a repository, in words that follow "it"; `undefined` when it is fine. restic cuts spaces off
 * a password file's ends: a repository made here would not open with the same file by hand.
 */
export const repositoryPasswordProblem = (password: string): string | undefined =>
  password === password.trim() ? undefined : "starts or ends with a space; restic would cut it off";
