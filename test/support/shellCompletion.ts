import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

interface Typed {
  /** The line as a person types it; what stands after its last space is completed. */
  readonly line: string;
  /** A script of `openemr-ops completion`. */
  readonly script: string;
  /** Where the person is, and the directory of the command `openemr-ops`. */
  readonly cwd: string;
  readonly bin: string;
}

const run = (shell: string, args: readonly string[], { cwd, bin }: Typed): readonly string[] => {
  const env = { PATH: `${bin}:/usr/bin:/bin`, HOME: cwd, TERM: "dumb" };
  const { status, stdout, stderr, error } = spawnSync(shell, args, { cwd, env, encoding: "utf8", timeout: 30_000 });
  if (status !== 0) throw error ?? new Error(`${shell} ended with ${status}: ${stdout}${stderr}`);
  return stdout.split("\n").filter((line) => line !== "");
};

/** What bash offers, without the package bash-completion. Words are split as readline does, at `=` too. */
export const completedByBash = (typed: Typed): readonly string[] => {
  const words = typed.line.replaceAll("=", " = ").split(/ +/);
  const script = `set -u; source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _openemr_ops
    [[ \${#COMPREPLY[@]} == 0 ]] || printf '%s\\n' "\${COMPREPLY[@]}"
    complete -p openemr-ops >&2`;
  return run("bash", ["--norc", "-c", script, typed.script, ...words], typed);
};

/** What zsh offers: one in a terminal of its own gets the line and the tab key, and writes all that it would show. */
export const completedByZsh = (typed: Typed): readonly string[] => {
  const found = join(typed.cwd, "found");
  const settings = join(typed.cwd, "settings.zsh");
  writeFileSync(found, "");
  writeFileSync(
    settings,
    `autoload -U compinit && compinit -u -d ${join(typed.cwd, "zcompdump")}
source ${typed.script}
compadd() {
  if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return; fi
  local -a hits
  builtin compadd -A hits "$@"
  print -rl -- $hits >> ${found}
  builtin compadd "$@"
}
finish() { zle complete-word; print -r done; exit }
zle -N finish
bindkey '^I' finish
print ready
`,
  );
  const script = `zmodload zsh/zpty
zpty z 'zsh -f -i'
zpty -w z 'source ${settings}'
zpty -r -m z line '*ready*' || exit 1
zpty -n -w z "$1"$'\\t'
while zpty -r z line; do [[ $line == *done* ]] && break; done
exit 0`;
  run("zsh", ["-f", "-c", script, "zsh", typed.line], typed);
  return run("cat", [found], typed).map((word) => word.replaceAll("\\ ", " ")); // file names arrive quoted
};
