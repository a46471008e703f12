# Debian packages, named by what needs them. A command asks for its sets; what is already
# installed costs one dpkg-query.

packages_build=(gcc g++ cmake ninja-build ccache libcli11-dev nlohmann-json3-dev)
packages_test=(libgtest-dev libgmock-dev pkg-config python3 binutils)
# Event loops that upcall is tried inside of, and a display for a window; tests say what is missing.
packages_test_optional=(libuv1-dev libglib2.0-dev libx11-dev xvfb)
packages_format=(clang-format-19 shellcheck)
packages_clang=(clang-19 lld-19 libclang-rt-19-dev llvm-19)
packages_tidy=(clang-tidy-19)
packages_windows=(g++-mingw-w64-x86-64-posix googletest wine wine64)
packages_bench=(libboost1.81-dev libuv1-dev libevent-dev pkg-config nginx-light h2o fio wrk clang-19 python3
    redis-server redis-tools)

as_root() {
    if [[ $(id -u) == 0 ]]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "installing packages needs root or sudo: $*"
    fi
}

# Silent unless it fails.
apt_get() {
    local log="$top/build/apt.log"
    mkdir -p "$top/build"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" \
        </dev/null >"$log" 2>&1 && return
    tail -n 40 "$log" >&2
    return 1
}

# Sets `missing` to those of the arguments that are not installed.
find_missing_packages() {
    local installed name
    installed=" $(dpkg-query -W -f='${Package}/${db:Status-Status} ' "$@" 2>/dev/null || true)"
    missing=()
    for name in "$@"; do
        [[ $installed == *" $name/installed "* ]] || missing+=("$name")
    done
}

need_packages() {
    local missing
    if ! command -v dpkg-query >/dev/null; then
        echo "dev: not a Debian system; expecting to find what these packages hold: $*" >&2
        return
    fi
    find_missing_packages "$@"
    ((${#missing[@]})) || return 0
    say "installing ${missing[*]}"
    # The lists may be absent (a fresh image) or stale (the version they name is gone).
    apt-cache show "${missing[@]}" >/dev/null 2>&1 || apt_get update
    install_without_services "${missing[@]}" && return
    apt_get update
    install_without_services "${missing[@]}"
}

# For what can be left out.
want_packages() {
    need_packages "$@" || echo "dev: going on without all of: $*" >&2
}

# Peers of the benchmarks are servers; installing one must not start it. A subshell, so that
# the policy goes again however this ends.
install_without_services() (
    policy=/usr/sbin/policy-rc.d
    if [[ ! -e $policy ]]; then
        trap 'as_root rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
    fi
    apt_get install --no-install-recommends -y "$@"
)

# llhttp's C sources are part of Debian's node-llhttp. They are unpacked rather than
# installed: the package conflicts with other builds of Node.js, and needs one itself.
need_llhttp() {
    local target="$top/build/deps/llhttp" scratch
    [[ ! -f /usr/share/llhttp/llhttp.c && ! -f $target/usr/share/llhttp/llhttp.c ]] || return 0
    say "unpacking llhttp's sources from the package node-llhttp"
    apt-cache show node-llhttp >/dev/null 2>&1 || apt_get update
    mkdir -p "$top/build/deps"
    scratch="$(mktemp -d)"
    chmod 755 "$scratch"
    if ! (cd "$scratch" && apt-get -qq -o APT::Sandbox::User=root download node-llhttp); then
        apt_get update
        (cd "$scratch" && apt-get -qq -o APT::Sandbox::User=root download node-llhttp)
    fi
    dpkg-deb -x "$scratch"/node-llhttp_*.deb "$scratch/root"
    rm -rf "$target"
    mv "$scratch/root" "$target"
    rm -rf "$scratch"
}
