"""The closing line of a test run is right, and what went wrong is never counted as passed."""

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
DISABLED = '<testcase name="e" status="disabled"/>'


def count(cases, ctest_status=0):
    """The exit status of count_tests.py and the lines that it printed."""
    with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
        file.write(f"<testsuite>{cases}</testsuite>" if "<" in cases else cases)
        file.flush()
        answer = subprocess.run(
            [sys.executable, COUNT_TESTS, file.name, str(ctest_status)],
            capture_output=True, text=True, check=False)
    return answer.returncode, answer.stdout.splitlines()


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


if __name__ == "__main__":
    unittest.main()
