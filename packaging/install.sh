#!/bin/sh
# Installs OpenEMR Ops from this directory, changes the version in use, or removes old versions. docs/install.md describes it.
# Every step can be interrupted: the command keeps starting the version before until one rename has switched to the new one.
set -eu
umask 022

usage() {
  cat <<'TEXT'
Usage: install.sh [--prefix DIR] [--directory DIR] [--use VERSION | --prune]

  (nothing)          install the version in this directory and use it
  --use VERSION      use a version that is installed already
  --prune            remove the versions that are not in use
  --prefix DIR       the command goes to DIR/bin, completion to DIR/share (default: /usr/local);
                     without root rights: --prefix ~/.local
  --directory DIR    versions go here (default: /opt/openemr-ops; with --prefix: PREFIX/lib/openemr-ops)

Exit status: 0 done, 2 wrong option, 3 refused; nothing was changed, 4 failed
TEXT
}

say() { printf 'install.sh: %s\n' "$*"; }
stop() {
  status=$1
  shift
  printf 'install.sh: %s\n' "$*" >&2
  exit "$status"
}

prefix='' directory='' use='' prune=''
while [ $# -gt 0 ]; do
  case $1 in
    --prefix | --directory | --use)
      [ -n "${2:-}" ] || stop 2 "$1 lacks its value"
      case $1 in
        --prefix) prefix=$2 ;;
        --directory) directory=$2 ;;
        --use) use=$2 ;;
      esac
      shift 2
      ;;
    --prune)
      prune=yes
      shift
      ;;
    --help)
      usage
      exit 0
      ;;
    *) stop 2 "unknown option $1; --help lists them" ;;
  esac
done
[ -z "$use" ] || [ -z "$prune" ] || stop 2 "--use and --prune exclude each other"

here=$(dirname "$(readlink -f -- "$0")")
valueOf() { sed -n "s/^$2=//p" "$1/release" 2>/dev/null; }
version=$(valueOf "$here" version)
[ -n "$version" ] || stop 3 "$here/release is missing; unpack the package and start install.sh there"

# Started from an installed version, its places are the defaults.
installed=$(dirname "$here")
if [ -f "$installed/prefix" ] && [ -z "$prefix$directory" ]; then
  directory=$installed
  prefix=$(cat "$installed/prefix")
fi
if [ -z "$directory" ]; then
  if [ -n "$prefix" ]; then directory=$prefix/lib/openemr-ops; else directory=/opt/openemr-ops; fi
fi
prefix=${prefix:-/usr/local}
case $prefix$directory in *'
'*) stop 2 "a directory's name has a line break" ;; esac
prefix=$(readlink -m -- "$prefix")
directory=$(readlink -m -- "$directory")

# A link that this script made, or nothing: the place may be used.
isOurs() {
  if [ ! -e "$1" ] && [ ! -L "$1" ]; then return 0; fi
  case $(readlink -- "$1" || true) in "$directory"/current/*) ;; *) return 1 ;; esac
}
links="bin/openemr-ops packages/cli/bin/openemr-ops
share/bash-completion/completions/openemr-ops share/bash-completion/completions/openemr-ops
share/zsh/site-functions/_openemr-ops share/zsh/site-functions/_openemr-ops"
printf '%s\n' "$links" | while read -r at _; do
  isOurs "$prefix/$at" || stop 3 "$prefix/$at is not a link of this installation; move it away, or use another --prefix"
done

mkdir -p "$directory" "$prefix" 2>/dev/null || true
for place in "$directory" "$prefix"; do
  [ -w "$place" ] || stop 3 "$place cannot be written; use sudo, or --prefix ~/.local"
done
if command -v flock >/dev/null; then
  exec 9>"$directory/.lock"
  flock -n 9 || stop 3 "another install.sh works in $directory"
fi

# Replaces a link in one step.
link() {
  mkdir -p "$(dirname "$2")"
  ln -sfn "$1" "$2.new"
  mv -fT "$2.new" "$2"
}
switchTo() {
  printf '%s\n' "$prefix" >"$directory/prefix"
  link "$1" "$directory/current"
  printf '%s\n' "$links" | while read -r at to; do link "$directory/current/$to" "$prefix/$at"; done
}
# Processes that run from a version: its Node is their program.
running() {
  find /proc/[0-9]* -maxdepth 1 -name exe -lname "$1/node_modules/*" 2>/dev/null | cut -d/ -f3 | tr '\n' ' '
}
current=$(readlink "$directory/current" || true)
# A directory whose file "release" has its name as the version. Whatever else lies here is somebody else's.
isVersion() { [ "$(valueOf "$1" version)" = "$(basename "$1")" ]; }
versions() { for one in "$directory"/[0-9]*; do if isVersion "$one"; then printf ' %s' "$(basename "$one")"; fi; done; }

if [ -n "$use" ]; then
  case $use in */* | .*) stop 2 "--use: expected a version, such as $version" ;; esac
  isVersion "$directory/$use" || stop 3 "$directory/$use is not installed; versions here:$(versions)"
  switchTo "$use"
  say "openemr-ops is $use now"
  exit 0
fi

if [ -n "$prune" ]; then
  for old in "$directory"/[0-9]* "$directory"/.installing-[0-9]* "$directory"/.between-[0-9]* "$directory"/.replaced-[0-9]*; do
    [ -d "$old" ] || continue
    name=$(basename "$old")
    [ "$name" != "$current" ] || continue
    case $name in [0-9]*) isVersion "$old" || continue ;; esac
    jobs=$(running "$old")
    if [ -n "$jobs" ]; then
      say "kept $old: it runs as process $jobs"
    else
      gone=$old
      case $name in [0-9]*) # renamed first: what an interrupted removal leaves is still known as ours
        gone=$directory/.replaced-$name
        rm -rf "$gone"
        mv "$old" "$gone"
        ;;
      esac
      rm -rf "$gone"
      say "removed $old"
    fi
  done
  exit 0
fi

processor=$(valueOf "$here" processor)
case $(uname -s)-$(uname -m) in
  Linux-x86_64) own=x64 ;;
  Linux-aarch64 | Linux-arm64) own=arm64 ;;
  *) own=$(uname -s)-$(uname -m) ;;
esac
[ "$processor" = "$own" ] || stop 3 "this package is for linux-$processor, and this machine is $own"
(cd "$here" && sha256sum --quiet --check SHA256SUMS) >&2 ||
  stop 3 "the files here are not those of the package; unpack it again"

target=$directory/$version
if [ "$here" = "$target" ]; then
  say "$version is in $directory already"
elif cmp -s "$here/SHA256SUMS" "$target/SHA256SUMS" && (cd "$target" && sha256sum --status --check SHA256SUMS); then
  say "$version is in $directory already"
else
  [ ! -e "$target" ] || isVersion "$target" || stop 3 "$target is no installed version; move it away, or use another --directory"
  jobs=$(running "$target")
  [ -z "$jobs" ] || stop 3 "$target has other files and runs as process $jobs; start install.sh again when that has ended"
  staged=$directory/.installing-$version
  rm -rf "$staged" "$directory/.between-$version" "$directory/.replaced-$version"
  mkdir "$staged"
  cp -RP "$here/." "$staged/"
  chmod -R u=rwX,go=rX "$staged"
  if [ "$("$staged/packages/cli/bin/openemr-ops" --version)" != "$version" ]; then
    rm -rf "$staged"
    stop 4 "the program does not start on this machine; see above. Nothing was changed"
  fi
  if [ -e "$target" ]; then
    # Other files under the same version: meanwhile a third copy is in use, so that the command always finds one.
    cp -al "$staged" "$directory/.between-$version"
    [ "$current" != "$version" ] || link ".between-$version" "$directory/current"
    mv "$target" "$directory/.replaced-$version"
  fi
  mv "$staged" "$target"
fi
switchTo "$version"
rm -rf "$directory/.replaced-$version"
[ -n "$(running "$directory/.between-$version")" ] || rm -rf "$directory/.between-$version"
"$prefix/bin/openemr-ops" help >/dev/null # compiled modules are kept beside the program, for the next start
say "openemr-ops $version is installed: $prefix/bin/openemr-ops"
case $current in '' | "$version" | .*) ;; *) say "the version before stays: install.sh --use $current goes back, --prune removes it" ;; esac

case :$PATH: in
  *":$prefix/bin:"*) ;;
  *) say "$prefix/bin is not on your PATH: add it, such as with: echo 'PATH=$prefix/bin:\$PATH' >> ~/.profile" ;;
esac

missing='' packages=''
for need in mariadb=mariadb-client mariadb-dump=mariadb-client restic=restic tar=tar; do
  command -v "${need%%=*}" >/dev/null && continue
  missing="$missing ${need%%=*}"
  case " $packages " in *" ${need#*=} "*) ;; *) packages="$packages ${need#*=}" ;; esac
done
if [ -n "$missing" ]; then
  say "jobs need programs that are not on this machine:$missing"
  if command -v apt-get >/dev/null; then
    say "to install them, type: sudo apt-get install --no-install-recommends$packages"
  else
    say "install them with the package manager; Debian calls the packages$packages"
  fi
fi
