import { quoted } from "@openemr-ops/core/shell";
import type { CompletableCommand, Values } from "./completable.ts";

const kindOf = (values: Values): string => (typeof values === "string" ? values : `words ${values.join(" ")}`);

const wordsOf = ({ name, below, options, argument }: CompletableCommand): string => {
  const words = [
    ...below.map(({ word }) => word),
    ...(typeof argument === "object" ? argument : []),
    ...options.map(({ flag }) => flag),
  ];
  return `    ${quoted(name)}) words=${quoted(words.join(" "))} ;;`;
};

const optionsOf = ({ name, options }: CompletableCommand): readonly string[] =>
  options.flatMap(({ flag, values }) =>
    values === undefined ? [] : [`    ${quoted(`${name} ${flag}`)}) kind=${quoted(kindOf(values))} ;;`],
  );

/**
 * A script that completes `openemr-ops` in bash 4 and newer, with or without the package bash-completion. It starts the
 * program only for the names of installations.
 */
export const bashCompletion = (commands: readonly CompletableCommand[]): string => `# bash completion of openemr-ops
_openemr_ops_kind() {
  case $1 in
${commands.flatMap(optionsOf).join("\n")}
    *) kind= ;;
  esac
}

_openemr_ops_words() {
  case $1 in
${commands.map(wordsOf).join("\n")}
    *) return 1 ;;
  esac
}

_openemr_ops() {
  local -a typed=() config=()
  local command= option= kind= words= current word
  local program=\${COMP_WORDS[0]/#\\~/$HOME}
  # "--config=file" arrives as three words; the sign is dropped.
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word == = ]] || typed+=("$word")
  done
  current=\${COMP_WORDS[COMP_CWORD]-}
  [[ $current == = ]] && current=
  for word in \${typed[@]+"\${typed[@]}"}; do
    if [[ -n $option ]]; then
      [[ $option == --config ]] && config=(--config "$word")
      option=
    elif [[ $word == -* ]]; then
      _openemr_ops_kind "$command $word"
      [[ -n $kind ]] && option=$word
    elif _openemr_ops_words "\${command:+$command }$word"; then
      command=\${command:+$command }$word
    fi
  done
  kind=
  [[ -n $option ]] && _openemr_ops_kind "$command $option"
  COMPREPLY=()
  case $kind in
    files | directories)
      compopt -o filenames 2>/dev/null
      [[ $kind == files ]] && mapfile -t COMPREPLY < <(compgen -f -- "$current")
      [[ $kind == directories ]] && mapfile -t COMPREPLY < <(compgen -d -- "$current")
      ;;
    unknown) ;;
    installations)
      words=$("$program" completion installations \${config[@]+"\${config[@]}"} 2>/dev/null)
      mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
      ;;
    'words '*) mapfile -t COMPREPLY < <(compgen -W "\${kind#words }" -- "$current") ;;
    *)
      _openemr_ops_words "$command"
      mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
      ;;
  esac
}

complete -F _openemr_ops openemr-ops
`;
