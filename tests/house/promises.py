"""Every promise of docs/contract.md has a command, and every part of it names a test that exists.

usage: promises.py CONTRACT BUILD_TREE CTEST
"""

import pathlib
import re
import subprocess
import sys
import unittest

CONTRACT, TREE, CTEST = sys.argv[1:4]
PROMISES = 13


def parts(regex):
    """The alternatives of a regular expression, groups opened one level deep."""
    if match := re.search(r"\(([^()]*\|[^()]*)\)", regex):
        before, after = regex[:match.start()], regex[match.end():]
        start = split_outside(before)
        left, others = start[-1], start[:-1]
        rest = split_outside(after)
        for inner in match[1].split("|"):
            yield from parts(left + inner + rest[0])
        for other in others + rest[1:]:
            yield from parts(other)
    else:
        yield from split_outside(regex)


def split_outside(regex):
    """Splits at the bars that stand in no group."""
    pieces, depth = [""], 0
    for letter in regex:
        depth += (letter == "(") - (letter == ")")
        if letter == "|" and depth == 0:
            pieces.append("")
        else:
            pieces[-1] += letter
    return pieces


def commands():
    """The promises' numbers and the expressions of their commands."""
    text = pathlib.Path(CONTRACT).read_text(encoding="utf-8").split("## How each is held up")[1]
    found = {}
    for section in re.split(r"^(?=\*\*\d+\. )", text, flags=re.MULTILINE)[1:]:
        number = int(re.match(r"\*\*(\d+)\. ", section)[1])
        found[number] = re.findall(r"^\./dev test '(.+)'$", section, flags=re.MULTILINE)
    return found


class Promises(unittest.TestCase):
    def test_each_has_a_command(self):
        found = commands()
        self.assertEqual(sorted(found), list(range(1, PROMISES + 1)))
        for number, expressions in found.items():
            self.assertTrue(expressions, f"promise {number} has no command")

    def test_each_part_of_a_command_names_a_test(self):
        listed = subprocess.run([CTEST, "--test-dir", TREE, "-N"], capture_output=True, text=True,
                                check=True).stdout
        names = re.findall(r"^ *Test +#\d+: (.+)$", listed, flags=re.MULTILINE)
        self.assertGreater(len(names), 100)
        for number, expressions in commands().items():
            for part in (part for regex in expressions for part in parts(regex)):
                with self.subTest(part):
                    self.assertTrue(any(re.search(part, name) for name in names),
                                    f"promise {number}: no test is named like {part}")

    def test_parts_are_taken_apart(self):
        self.assertEqual(list(parts("a")), ["a"])
        self.assertEqual(list(parts("a|b/(c|d)_|e")), ["b/c_", "b/d_", "a", "e"])
        self.assertEqual(list(parts("(a|b)x|(c|d)")), ["ax", "bx", "c", "d"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
