#!/bin/sh
# Removes OpenEMR Ops: the program, its command, completion, and the units that "openemr-ops init" wrote. It never removes
# configuration, passwords, state, logs or dumps, and ends with a list of what it left.
set -eu

say() { printf 'uninstall.sh: %s\n' "$*"; }
stop() {
  status=$1
  shift
  printf 'uninstall.sh: %s\n' "$*" >&2
  exit "$status"
}
case ${1:-} in
  '') ;;
  --help)
    printf 'Usage: uninstall.sh\n\nExit status: 0 done, 2 wrong option, 3 refused; nothing was changed\n'
    exit 0
    ;;
  *) stop 2 "unknown option $1; there are none" ;;
esac

directory=$(dirname "$(dirname "$(readlink -f -- "$0")")")
[ -f "$directory/prefix" ] ||
  stop 3 "start the uninstall.sh of an installed version, such as /opt/openemr-ops/current/uninstall.sh"
prefix=$(cat "$directory/prefix")
command=$prefix/bin/openemr-ops
[ -w "$directory" ] || stop 3 "$directory cannot be written; use sudo"

jobs=$(find /proc/[0-9]* -maxdepth 1 -name exe -lname "$directory/*" 2>/dev/null | cut -d/ -f3 | tr '\n' ' ')
[ -z "$jobs" ] || stop 3 "jobs run as process $jobs; wait for their end, or stop them, then try again"

# Files of "openemr-ops init" have its mark. One that a person wrote has none, and stays.
mark='Written by "openemr-ops init"'
marked() { [ -f "$1" ] && grep -qF "$mark" "$1"; }
units=/etc/systemd/system
if grep -qsF "$command" "$units"/openemr-ops-*.service /etc/cron.d/openemr-ops; then
  if command -v systemctl >/dev/null && [ -d /run/systemd/system ]; then
    for timer in $(systemctl list-units --all --plain --no-legend 'openemr-ops-*.timer' | cut -d' ' -f1); do
      systemctl disable --now "$timer" || true
    done
  fi
  rm -f "$units"/timers.target.wants/openemr-ops-*.timer
  for file in "$units"/openemr-ops-* "$units"/openemr-ops-*.d/* /etc/cron.d/openemr-ops /etc/logrotate.d/openemr-ops \
    "$prefix"/lib/openemr-ops/*; do
    if marked "$file"; then
      rm -f "$file"
      say "removed $file"
    fi
  done
  rmdir "$units"/openemr-ops-*.d "$prefix/lib/openemr-ops" 2>/dev/null || true
  if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
fi

for at in bin/openemr-ops share/bash-completion/completions/openemr-ops share/zsh/site-functions/_openemr-ops; do
  case $(readlink -- "$prefix/$at" || true) in "$directory"/current/*)
    rm -f "$prefix/$at"
    say "removed $prefix/$at"
    ;;
  esac
done
# A version's file "release" has the directory's name. Whatever else lies here is somebody else's.
for version in "$directory"/[0-9]*; do
  name=$(basename "$version")
  [ "$(sed -n 's/^version=//p' "$version/release" 2>/dev/null)" = "$name" ] || continue
  rm -rf "$directory/.replaced-$name"
  mv "$version" "$directory/.replaced-$name"
done
rm -rf "$directory"/.installing-[0-9]* "$directory"/.between-[0-9]* "$directory"/.replaced-[0-9]*
rm -f "$directory/current" "$directory/prefix" "$directory/.lock"
rmdir "$directory" 2>/dev/null || true
say "removed the program in $directory"

for left in "$directory" "$directory"/* /etc/openemr-ops /var/lib/openemr-ops /var/log/openemr-ops.log /etc/cron.d/openemr-ops \
  /etc/logrotate.d/openemr-ops "$units"/openemr-ops-*; do
  [ ! -e "$left" ] || say "left $left"
done
say "left every dump, every database user, and what the configuration names elsewhere"
