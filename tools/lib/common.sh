# What every sub-command of ./dev shares. Sourced from the top of the repository.
set -euo pipefail

# A shell that was started with nothing exported knows where programs are and who it runs for, and
# CMake and ccache have to be told.
export PATH HOME="${HOME:-$(echo ~)}"

top="$PWD"
jobs="${UPCALL_JOBS:-$(nproc)}"
export CCACHE_BASEDIR="$top" CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros

say() { printf '\033[1m==> %s\033[0m\n' "$*"; }
die() { echo "dev: $*" >&2; exit 1; }
[[ $jobs =~ ^[1-9][0-9]*$ ]] || die "UPCALL_JOBS '$jobs': must be a number above 0"

# For a wrong command line. Who takes arguments has said `usage`.
misused() {
    printf 'dev: %s\nusage: %s\n' "$*" "$usage" >&2
    exit 2
}

# refuse_options WORD…: of a command that has none besides --help.
refuse_options() {
    local word
    for word in "$@"; do
        case "$word" in
            -h | --help) echo "usage: $usage"; exit 0 ;;
            -*) misused "'$word' is not an option" ;;
        esac
    done
}

# Without colours where nobody looks.
[[ -t 1 ]] || say() { printf '==> %s\n' "$*"; }
