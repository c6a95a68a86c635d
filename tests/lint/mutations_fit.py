#!/usr/bin/env -S python3 -B
"""Every seeded bug of tests/mutations can still be put into the code, and the tests that are to
catch it are there: one that no longer fits would prove nothing."""

import os
import re
import sys

import sources

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "mutations"))
import mutations  # pylint: disable=wrong-import-position

LISTED = re.compile(
    r"^\s*(?:billing_(?:(unit|store)_test\(|(?:program_)?test\((\w+) )(\w+)|add_test\(NAME ([\w.]+)\b)",
    re.MULTILINE,
)


def names(lists):
    """The names of all tests in CMake's LISTS but those that are put together there."""
    for match in LISTED.finditer(re.sub(r"#.*", "", lists)):
        yield match[4] or f"{match[1] or match[2]}.{match[3]}"


def check(root):
    tests = list(names(sources.read(root, "tests/CMakeLists.txt")))
    for path in mutations.paths(root):
        try:
            mutation = mutations.load(root, path)
            mutation.apply(root)
        except mutations.Unfit as unfit:
            yield f"{path}:1: {unfit}"
            continue
        if not any(map(mutation.names, tests)):
            yield f"{path}:1: none of its tests is in tests/CMakeLists.txt"


if __name__ == "__main__":
    sources.run(check)
