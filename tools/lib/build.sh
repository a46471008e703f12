# Configuring and building trees below build/.

common_options=(-G Ninja -DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
gcc_options=(-DCMAKE_C_COMPILER=gcc -DCMAKE_CXX_COMPILER=g++)
# Time stamps in precompiled headers would keep ccache from knowing them again.
clang_options=(-DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19
    "-DCMAKE_CXX_FLAGS=-Xclang -fno-pch-timestamp"
    -DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=lld -DCMAKE_SHARED_LINKER_FLAGS=-fuse-ld=lld)
# Sanitized code at -O1: near enough to what runs, and its traces still read like the source.
sanitized_options=(-DCMAKE_BUILD_TYPE=Sanitized -DCMAKE_CXX_FLAGS_SANITIZED=-O1
    -DCMAKE_C_FLAGS_SANITIZED=-O1)

# configure TREE OPTION…
configure() {
    local tree="build/$1"
    shift
    cmake -S . -B "$tree" "${common_options[@]}" "$@" --log-level=WARNING >/dev/null
}

# build TREE [target…]; without targets, everything. CI wants to see every error at once.
build() {
    local tree="build/$1"
    shift
    ninja -C "$tree" -j "$jobs" --quiet ${CI:+-k 0} "$@"
}

# The tree that people use. Asking for a part once (tests, benchmarks) keeps it.
configure_release() {
    configure release "${gcc_options[@]}" -DCMAKE_BUILD_TYPE=Release "$@"
}

configure_release_with_tests() {
    configure_release -DUPCALL_TESTS=ON -DUPCALL_APPS=ON -DUPCALL_EXAMPLES=ON \
        -DUPCALL_TEST_TIMEOUT=120 "$@"
}

# configure_sanitized address|thread [option…]
configure_sanitized() {
    local kind="$1" sanitizers="$1"
    shift
    [[ $kind != address ]] || sanitizers=address,undefined
    configure "$kind" "${clang_options[@]}" "${sanitized_options[@]}" \
        -DUPCALL_SANITIZE="$sanitizers" -DUPCALL_TEST_TIMEOUT=600 \
        -DUPCALL_TEST_PCH=ON "$@"
}

has_target() { ninja -C "build/$1" -t query "$2" >/dev/null 2>&1; }

# folder_targets TREE FOLDER: the names of the programs that a folder defines. CMake gives
# every target of a folder an edge "FOLDER/all".
folder_targets() {
    ninja -C "build/$1" -t query "$2/all" 2>/dev/null |
        awk '/^  outputs:/ { exit } sub("^ *bin/", "") { print }'
}
