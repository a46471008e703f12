# Running a tree's tests and counting what they said.

# Drops the lines of a test run that tell of tests starting and passing.
only_trouble() { grep --line-buffered -Ev '^ +Start +[0-9]+:|^ *[0-9]+/[0-9]+ Test +#.* Passed ' || true; }

# run_tests TREE [ctest option…]: runs ctest and prints the counts and the reasons of what
# was skipped; the last line is "N passed, N failed, N skipped". Fails if a test failed or
# none ran. A few tests that only failed an expectation, on a machine full of others, are repeated
# alone: those that pass ten times in a row are named as unsteady instead of failed. With
# UPCALL_SOAK set there is no second chance.
run_tests() {
    local tree="build/$1" status=0 unsteady=""
    shift
    rm -f "$tree/tests.xml" "$tree/again.xml"
    # Half of their time they wait, for one another or for a clock.
    ctest --test-dir "$tree" -j $((jobs + jobs / 2)) --timeout 300 --output-on-failure \
        --test-output-size-passed 65536 --test-output-size-failed 262144 \
        --output-junit "$top/$tree/tests.xml" "$@" </dev/null 2>&1 | only_trouble || status=$?
    if ((status)) && [[ -z ${UPCALL_SOAK:-} ]]; then
        unsteady="$(python3 tools/count_tests.py --unsteady "$tree/tests.xml")" || true
    fi
    if [[ -n $unsteady ]]; then
        echo "again, ten times and alone: $unsteady"
        ctest --test-dir "$tree" -j 1 --timeout 300 --output-on-failure --repeat until-fail:10 \
            -R "^($unsteady)\$" --output-junit "$top/$tree/again.xml" </dev/null 2>&1 |
            only_trouble || true
        python3 tools/count_tests.py "$tree/tests.xml" "$status" "$tree/again.xml"
    else
        python3 tools/count_tests.py "$tree/tests.xml" "$status"
    fi
}

# run_tests_but_slow TREE: leaves out what tests/slow-TREE.txt names (a regular expression and
# a reason per line), and says so.
run_tests_but_slow() {
    local list="tests/slow-$1.txt" pattern="" name reason
    if [[ -f $list ]]; then
        while read -r name reason; do
            [[ -n $name && $name != \#* ]] || continue
            echo "left out of $1: $name $reason"
            pattern+="${pattern:+|}$name"
        done <"$list"
    fi
    run_tests "$1" ${pattern:+-E "$pattern"}
}

# Ends a stage that found nothing to do, with the reason.
skip_stage() {
    echo "skipped, 1: $*"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
}
