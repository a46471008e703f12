"""Counts the outcomes in a JUnit file written by ctest.

usage: count_tests.py FILE CTEST_STATUS [AGAIN]
       count_tests.py --unsteady FILE

Prints why tests were skipped and which failed, then one line "N passed, N failed, N skipped".
Fails if a test failed, if none ran, or if ctest itself reported failure. AGAIN holds the
outcomes of failed tests that were repeated alone: those that passed there are named as unsteady
and count as passed.

--unsteady prints a regular expression of the tests that deserve such a repetition: there are
few, and each failed an expectation. What crashed, hung, or made a sanitizer complain is proven
wrong by a single occurrence.
"""

import collections
import re
import sys
import xml.etree.ElementTree


def skip_reason(output):
    """What GTEST_SKIP() << "…" said: the lines between its location and the test's end."""
    found = re.search(r"^.*: Skipped\n(.*?)\n*^\[  SKIPPED \]", output, re.DOTALL | re.MULTILINE)
    reason = " ".join(found.group(1).split()) if found else ""
    return reason or "no reason given"


def outcome(case):
    """One of passed, failed, skipped; with a reason unless it passed."""
    skipped = case.find("skipped")
    if case.get("status") == "disabled":
        return "skipped", "disabled"
    if skipped is not None:
        message = skipped.get("message", "")
        # A test that ctest could not start is reported like a skipped one; it is not.
        if message.startswith("SKIP_"):
            return "skipped", skip_reason(case.findtext("system-out", ""))
        return "failed", message or "not run"
    if case.find("failure") is not None:
        return "failed", case.find("failure").get("message", "")
    return ("passed", "") if case.get("status") == "run" else ("failed", case.get("status"))


MOST_UNSTEADY = 3
SAW_EXPECTATION_FAIL = re.compile(r"^\[  FAILED  \]", re.MULTILINE)
PROOF = re.compile(r"Sanitizer|runtime error:")


def unsteady(path):
    """The names of the failed tests that are worth a repetition; none if there are many."""
    failed = [case for case in read(path) if outcome(case)[0] == "failed"]
    if len(failed) > MOST_UNSTEADY:
        return []
    for case in failed:
        output = case.findtext("system-out", "")
        if not SAW_EXPECTATION_FAIL.search(output) or PROOF.search(output):
            return []
    return [case.get("name") for case in failed]


def read(path):
    """The test cases of a JUnit file."""
    return xml.etree.ElementTree.parse(path).getroot().findall("testcase")


def main(path, ctest_status, again=None):
    try:
        cases = read(path)
        again = read(again) if again else []
    except (OSError, xml.etree.ElementTree.ParseError) as error:
        print(f"no test results: {error}")
        print("0 passed, 1 failed, 0 skipped")
        return 1

    steady = {case.get("name") for case in again if outcome(case)[0] == "passed"}
    names = collections.defaultdict(list)
    reasons = collections.defaultdict(list)
    for case in cases:
        kind, reason = outcome(case)
        if kind == "failed" and case.get("name") in steady:
            print(f"unsteady: {case.get('name')} failed beside others, then passed every time alone")
            kind, ctest_status = "passed", 0
        names[kind].append(case.get("name"))
        if kind == "skipped":
            reasons[reason].append(case.get("name"))
        elif kind == "failed":
            print(f"failed: {case.get('name')} {reason}".rstrip())

    for reason in sorted(reasons):
        print(f"skipped, {len(reasons[reason])}: {reason}")
        for name in sorted(reasons[reason]):
            print(f"    {name}")
    passed, failed, skipped = (len(names[kind]) for kind in ("passed", "failed", "skipped"))
    if not failed and (ctest_status or not passed):
        print("no test ran" if not passed else f"ctest ended with status {ctest_status}")
        failed = 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    if sys.argv[1] == "--unsteady":
        print("|".join(re.escape(name) for name in unsteady(sys.argv[2])))
        sys.exit(0)
    sys.exit(main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:4]))
