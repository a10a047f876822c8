import { quoted } from "@openemr-ops/core/shell";
import type { CompletableCommand, CompletableOption, Values } from "./completable.ts";

const actionOf = (values: Values): string => {
  if (typeof values === "object") return `(${values.join(" ")})`;
  return { files: "_files", directories: "_files -/", installations: "_openemr_ops_installations", unknown: " " }[
    values
  ];
};

/** Text inside the brackets or before the colon of a specification. */
const escaped = (text: string): string => text.replaceAll(/[\\:[\]]/g, String.raw`\$&`);

const specificationOf = ({ flag, description, values }: CompletableOption): string => {
  const words = `[${escaped(description)}]`;
  return quoted(values === undefined ? `${flag}${words}` : `${flag}=${words}:${flag.slice(2)}:${actionOf(values)}`);
};

const caseOf = ({ name, below, options, argument }: CompletableCommand): string => {
  const words = below.map(({ word, summary }) => quoted(`${escaped(word)}:${summary}`));
  const first = argument === undefined ? [] : [quoted(`1:argument:${actionOf(argument)}`)];
  return [
    `    ${quoted(name)})`,
    ...(words.length > 0 ? [`      below=(${words.join(" ")})`] : []),
    `      options=(${[...options.map(specificationOf), ...first].join(" ")})`,
    "      ;;",
  ].join("\n");
};

/** A script that completes `openemr-ops` in zsh, as a function of the search path or read by \`source\`. */
export const zshCompletion = (commands: readonly CompletableCommand[]): string => `#compdef openemr-ops
# zsh completion of openemr-ops
_openemr_ops_installations() {
  local -a ids config
  local at=\${words[(I)--config]}
  (( at > 0 )) && config=(--config "\${(Q)words[at + 1]}")
  [[ -n \${words[(r)--config=*]} ]] && config=("\${(Q)\${words[(r)--config=*]}}")
  ids=("\${(@f)$(openemr-ops completion installations $config 2>/dev/null)}")
  compadd -a ids
}

_openemr_ops_at() {
  below=() options=()
  case $1 in
${commands.map(caseOf).join("\n")}
    *) return 1 ;;
  esac
}

_openemr_ops() {
  local -a below options
  local command= next index=2
  # The words of the command come first; what follows is completed as its options.
  while (( index < CURRENT )); do
    next="\${command:+$command }\${words[index]}"
    _openemr_ops_at "$next" || break
    command=$next
    (( index++ ))
  done
  _openemr_ops_at "$command"
  if (( $#below > 0 && index == CURRENT )) && [[ \${words[CURRENT]} != -* ]]; then
    _describe -t commands command below
    return
  fi
  words=(openemr-ops "\${(@)words[index, -1]}")
  (( CURRENT -= index - 2 ))
  _arguments -S $options
}

if [[ $funcstack[1] == _openemr_ops ]]; then
  _openemr_ops "$@"
elif (( $+functions[compdef] )); then
  compdef _openemr_ops openemr-ops
fi
`;
