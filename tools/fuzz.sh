# Runs fuzz targets of build/fuzz, as many at once as there are jobs, each for some seconds.
# What they learn is kept in build/corpus/TARGET; the committed seeds are tests/fuzz/corpus/TARGET.
# usage: fuzz.sh SECONDS TARGET…
source tools/lib/common.sh

seconds="$1"
shift
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1

# fuzz_one TARGET: its log goes to build/fuzz/TARGET.log, an input that fails to build/fuzz.
fuzz_one() {
    local target="$1" seeds=()
    mkdir -p "build/corpus/$target"
    [[ ! -d tests/fuzz/corpus/$target ]] || seeds=("tests/fuzz/corpus/$target")
    "build/fuzz/bin/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -artifact_prefix="build/fuzz/$target-" -print_final_stats=1 \
        "build/corpus/$target" "${seeds[@]}" >"build/fuzz/$target.log" 2>&1
}

passed=0 failed=0
while (($#)); do
    batch=("${@:1:jobs}")
    shift "${#batch[@]}"
    pids=()
    for target in "${batch[@]}"; do
        fuzz_one "$target" &
        pids+=($!)
    done
    for i in "${!batch[@]}"; do
        target="${batch[i]}"
        if wait "${pids[i]}"; then
            passed=$((passed + 1))
            echo "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$target.log") executions"
        else
            failed=$((failed + 1))
            echo "$target FAILED:"
            tail -n 60 "build/fuzz/$target.log"
        fi
    done
done
echo "$passed passed, $failed failed, 0 skipped"
((failed == 0))
