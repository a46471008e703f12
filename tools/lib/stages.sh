# Stages of a long check. Each is a program of its own, so that its failure ends it and nothing
# else. Its counts are the last line that it prints; one that prints none counts as one.

stages_passed=0 stages_failed=0 stages_skipped=0
stages_summary=() stages_unsteady=()

# run_stage NAME HEADING COMMAND…: the output goes to build/stages/NAME.log as well.
run_stage() {
    local name="$1" log="build/stages/$1.log" status=0 begun=$SECONDS verdict=passed counts
    say "$2"
    shift 2
    mkdir -p build/stages
    "$@" </dev/null 2>&1 | tee "$log" || status=$?
    counts=(1 0 0)
    ((status == 0)) || counts=(0 1 0)
    if [[ $(tail -n 1 "$log") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
        counts=("${BASH_REMATCH[@]:1}")
        ((status == 0 || counts[1] > 0)) || counts[1]=1
    fi
    stages_passed=$((stages_passed + counts[0]))
    stages_failed=$((stages_failed + counts[1]))
    stages_skipped=$((stages_skipped + counts[2]))
    ((counts[1] == 0)) || verdict=FAILED
    mapfile -t -O "${#stages_unsteady[@]}" stages_unsteady < <(grep '^unsteady: ' "$log")
    stages_summary+=("$(printf '%-10s %-7s %5d s   %d passed, %d failed, %d skipped' \
        "$name" "$verdict" $((SECONDS - begun)) "${counts[@]}")")
    echo "${stages_summary[-1]}"
}

# Prints every stage's line and, alone on the last line, the counts of all. Fails if one did.
summarize_stages() {
    say "summary"
    printf '%s\n' "${stages_summary[@]}" "${stages_unsteady[@]}"
    echo "$stages_passed passed, $stages_failed failed, $stages_skipped skipped"
    ((stages_failed == 0))
}
