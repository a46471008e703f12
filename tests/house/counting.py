"""The closing line of a test run is right, and what went wrong is never counted as passed."""

import contextlib
import pathlib
import subprocess
import sys
import tempfile
import unittest

COUNT_TESTS = pathlib.Path(__file__).parents[2] / "tools" / "count_tests.py"

PASSED = '<testcase name="a" status="run"/>'
FAILED = '<testcase name="b" status="fail"><failure message="Failed"/></testcase>'
SKIPPED = """<testcase name="c" status="notrun"><skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/>
<system-out>[ RUN      ] x.c
../tests/x.cpp:5: Skipped
io_uring is
not here

[  SKIPPED ] x.c (0 ms)</system-out></testcase>"""
NOT_STARTED = """<testcase name="d" status="notrun">
<skipped message="Unable to find executable"/></testcase>"""
EXPECTED_MORE = """<testcase name="f/g.h-i/j" status="fail"><failure message=""/>
<system-out>x.cpp:7: Failure
[  FAILED  ] g.h-i/j (3 ms)</system-out></testcase>"""
RACED = EXPECTED_MORE.replace("x.cpp:7: Failure", "WARNING: ThreadSanitizer: data race")
DISABLED = '<testcase name="e" status="disabled"/>'


def run(*arguments):
    """The exit status of count_tests.py and the lines that it printed."""
    answer = subprocess.run(
        [sys.executable, COUNT_TESTS, *arguments], capture_output=True, text=True, check=False)
    return answer.returncode, answer.stdout.splitlines()


@contextlib.contextmanager
def results(cases):
    """The path of a file with these test cases."""
    with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
        file.write(f"<testsuite>{cases}</testsuite>" if "<" in cases else cases)
        file.flush()
        yield file.name


def count(cases, ctest_status=0):
    with results(cases) as file:
        return run(file, str(ctest_status))


def unsteady(cases):
    with results(cases) as file:
        return run("--unsteady", file)


class Counting(unittest.TestCase):
    def test_all_kinds_are_told_apart(self):
        status, lines = count(PASSED + PASSED + FAILED + SKIPPED + DISABLED, 8)
        self.assertEqual(status, 1)
        self.assertEqual(lines[-1], "2 passed, 1 failed, 2 skipped")
        self.assertIn("failed: b Failed", lines)

    def test_skips_come_with_their_reason(self):
        status, lines = count(PASSED + SKIPPED)
        self.assertEqual(status, 0)
        self.assertEqual(
            lines, ["skipped, 1: io_uring is not here", "    c", "1 passed, 0 failed, 1 skipped"])

    def test_what_did_not_start_has_failed(self):
        status, lines = count(PASSED + NOT_STARTED)
        self.assertEqual((status, lines[-1]), (1, "1 passed, 1 failed, 0 skipped"))

    def test_no_test_is_a_failure(self):
        for cases in ("<x/>", SKIPPED):
            status, lines = count(cases)
            self.assertEqual(status, 1)
            self.assertIn("1 failed", lines[-1])

    def test_an_unhappy_ctest_is_a_failure(self):
        status, lines = count(PASSED, 2)
        self.assertEqual((status, lines[-1]), (1, "1 passed, 1 failed, 0 skipped"))

    def test_results_that_cannot_be_read_are_a_failure(self):
        status, lines = count("torn off")
        self.assertEqual((status, lines[-1]), (1, "0 passed, 1 failed, 0 skipped"))

    def test_a_failed_expectation_is_worth_a_repetition(self):
        self.assertEqual(unsteady(PASSED + EXPECTED_MORE), (0, [r"f/g\.h\-i/j"]))

    def test_crashes_hangs_races_and_many_failures_are_not(self):
        for cases in (FAILED, RACED, EXPECTED_MORE + FAILED, EXPECTED_MORE + NOT_STARTED,
                      EXPECTED_MORE * 4, PASSED + SKIPPED):
            self.assertEqual(unsteady(cases), (0, [""]), cases)

    def test_what_passes_alone_is_named_and_counts_as_passed(self):
        with results(PASSED + EXPECTED_MORE) as first:
            with results(EXPECTED_MORE) as again:
                status, lines = run(first, "8", again)
                self.assertEqual((status, lines[-1]), (1, "1 passed, 1 failed, 0 skipped"))
            with results('<testcase name="f/g.h-i/j" status="run"/>') as again:
                status, lines = run(first, "8", again)
                self.assertEqual((status, lines[-1]), (0, "2 passed, 0 failed, 0 skipped"))
                self.assertIn("f/g.h-i/j", lines[0])
                self.assertTrue(lines[0].startswith("unsteady: "))

    def test_only_the_repeated_test_is_excused(self):
        with results(EXPECTED_MORE + FAILED) as first:
            with results('<testcase name="f/g.h-i/j" status="run"/>') as again:
                status, lines = run(first, "8", again)
                self.assertEqual((status, lines[-1]), (1, "1 passed, 1 failed, 0 skipped"))


if __name__ == "__main__":
    unittest.main()
