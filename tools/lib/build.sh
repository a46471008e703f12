# Configuring and building trees below build/.

common_options=(-G Ninja -DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
gcc_options=(-DCMAKE_C_COMPILER=gcc -DCMAKE_CXX_COMPILER=g++)

# configure TREE OPTION…
configure() {
    local tree="build/$1"
    shift
    cmake -S . -B "$tree" "${common_options[@]}" "$@" --log-level=WARNING >/dev/null
}

# build TREE [target…]; without targets, everything.
build() {
    local tree="build/$1"
    shift
    ninja -C "$tree" -j "$jobs" --quiet "$@"
}

# The tree that people use. Asking for an option once (tests, benchmarks) keeps it.
configure_release() { configure release "${gcc_options[@]}" -DCMAKE_BUILD_TYPE=Release "$@"; }
