"""Runs clang-tidy over the library and the programs, within a time budget.

usage: tidy.py --tree BUILD_TREE --jobs N --budget SECONDS

A file found clean is not looked at again until it, a header of ours or the checks change; what
differs from the branch `main` comes first. When the budget ends, the files left over are counted
as skipped and named. Last line: "N passed, N failed, N skipped", one per file.
"""

import argparse
import concurrent.futures
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import time

FOLDERS = ("src", "apps", "examples")
TOP = pathlib.Path.cwd()


def sources(tree):
    """The translation units of FOLDERS, as paths relative to the repository."""
    units = json.loads((tree / "compile_commands.json").read_text())
    found = set()
    for unit in units:
        path = pathlib.Path(unit["directory"], unit["file"]).resolve()
        if path.is_relative_to(TOP) and path.relative_to(TOP).parts[0] in FOLDERS:
            found.add(path.relative_to(TOP))
    return sorted(path for path in found if path.suffix == ".cpp")


def headers_digest():
    """One digest of all our headers and the checks: any of them may change what is found."""
    digest = hashlib.sha256((TOP / ".clang-tidy").read_bytes())
    for folder in ("include", *FOLDERS):
        for header in sorted((TOP / folder).rglob("*.h*")):
            digest.update(str(header.relative_to(TOP)).encode())
            digest.update(header.read_bytes())
    return digest.digest()


def changed_files():
    """Names of files that differ from main; empty where git or main is not there."""
    names = set()
    if not shutil.which("git"):
        return names
    for command in (["git", "diff", "--name-only", "main...HEAD"], ["git", "diff", "--name-only", "HEAD"]):
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        names.update(answer.stdout.split())
    return names


def tidy(tree, path):
    answer = subprocess.run(
        ["clang-tidy-19", "-p", str(tree), "--quiet", str(path)],
        capture_output=True, text=True, check=False)
    return answer.returncode == 0, answer.stdout + ("" if answer.returncode == 0 else answer.stderr)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--tree", type=pathlib.Path, required=True)
    options.add_argument("--jobs", type=int, required=True)
    options.add_argument("--budget", type=float, required=True)
    options = options.parse_args()

    end = time.monotonic() + options.budget
    clean_dir = TOP / "build" / "tidy"
    clean_dir.mkdir(parents=True, exist_ok=True)
    headers = headers_digest()
    changed = changed_files()
    passed, failed, left = 0, 0, []
    work = []
    for path in sources(options.tree):
        mark = clean_dir / hashlib.sha256(headers + str(path).encode() + path.read_bytes()).hexdigest()
        if mark.exists():
            passed += 1
        else:
            work.append((str(path) not in changed, path, mark))
    work.sort(key=lambda item: item[:2])

    def examine(item):
        _, path, mark = item
        if time.monotonic() > end:
            return path, None, ""
        clean, text = tidy(options.tree, path)
        if clean:
            mark.touch()
        return path, clean, text

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for path, clean, text in pool.map(examine, work):
            if clean is None:
                left.append(path)
            elif clean:
                passed += 1
            else:
                failed += 1
                print(f"{path}:\n{text}")
    if left:
        print(f"skipped, {len(left)}: the budget of {options.budget:.0f} s ended")
        for path in left:
            print(f"    {path}")
    if not passed and not failed:
        print("there was nothing to look at")
        failed = 1
    print(f"{passed} passed, {failed} failed, {len(left)} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
