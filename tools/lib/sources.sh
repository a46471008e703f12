# The repository's own C and C++ files. Tracked or not: what is about to be committed counts.

# list_sources FOLDER…: prints them, one per line.
list_sources() {
    local folder
    for folder in "$@"; do
        [[ ! -d $folder ]] || find "$folder" -type f \
            \( -name '*.cpp' -o -name '*.hpp' -o -name '*.c' -o -name '*.h' \)
    done | LC_ALL=C sort
}

own_folders=(include src tests apps examples bench)
