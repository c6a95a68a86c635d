#!/usr/bin/env -S python3 -B
"""Every tests/<suite>/test_<name>.c is in a list of tests/CMakeLists.txt, since one that is in none
would never run; and every test that is listed is there.  Likewise for fuzz targets."""

import os
import re

import sources

SUITES = ("unit", "store", "integration", "model", "bench", "fault", "fuzz")
LISTED = re.compile(
    r"^\s*billing_(?:(unit|store)_test\(|(?:program_)?test\((\w+) )(\w+)([^)]*)\)", re.MULTILINE
)


def listed(text):
    """The paths below tests/ of the main files of all tests in CMake's TEXT."""
    for match in LISTED.finditer(re.sub(r"#.*", "", text)):
        own_main = re.search(r"\bMAIN (\S+)", match[4])
        yield own_main[1] if own_main else f"{match[1] or match[2]}/test_{match[3]}.c"

FUZZ_LISTED = re.compile(r"^billing_fuzz\((\w+)", re.MULTILINE)


def check_fuzz(root):
    lists = f"{root}/tests/fuzz/CMakeLists.txt"
    known = FUZZ_LISTED.findall(sources.read(root, lists)) if os.path.exists(lists) else []
    for path in sources.files(root, (".c",), ["tests/fuzz"]):
        name = os.path.basename(path)
        if name.startswith("fuzz_") and name[len("fuzz_"):-len(".c")] not in known:
            yield f"{path}:1: is not in tests/fuzz/CMakeLists.txt"


def check(root):
    lists = sources.read(root, "tests/CMakeLists.txt")
    known = set(listed(lists))
    there = {
        path[len("tests/"):]
        for path in sources.files(root, (".c",), [f"tests/{suite}" for suite in SUITES])
        if os.path.basename(path).startswith("test_")
    }
    for path in sorted(there - known):
        yield f"tests/{path}:1: is in no list of tests/CMakeLists.txt"
    for path in sorted(known):
        if not os.path.exists(f"{root}/tests/{path}"):
            yield f"tests/CMakeLists.txt:1: lists {path}, which is not there"
    yield from check_fuzz(root)


if __name__ == "__main__":
    sources.run(check)
