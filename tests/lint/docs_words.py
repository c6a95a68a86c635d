#!/usr/bin/env -S python3 -B
"""What no text of the project may say: where it happened to be built, and what only its makers
know.  Over all files that git tracks, or would if they were added."""

import re
import subprocess
import sys

import sources

WORDS = [
    (re.compile(r"(?<![\w.~-])/(work|root)/"), "a path of one machine"),
    (re.compile(r"/tmp/b[-]"), "a path of one machine"),
    (re.compile(r"\bissues? #?\d+\b", re.IGNORECASE), "a number that readers cannot look up"),
    (re.compile(r"^(<{7}|>{7}|={7})( |$)", re.MULTILINE), "half a merge"),
]
NOT_TEXT = b"\0"


def tracked(root):
    """The paths of the project, or None where ROOT is no git repository."""
    found = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", root, "ls-files", "-z", "--cached", "--others",
         "--exclude-standard"],
        capture_output=True,
        check=False,
    )
    if found.returncode != 0:
        return None
    return sorted({path for path in found.stdout.decode().split("\0") if path})


def check(root):
    paths = tracked(root)
    if paths is None:
        print("no git repository: nothing to look at")
        sys.exit(77)
    for path in paths:
        try:
            with open(f"{root}/{path}", "rb") as file:
                data = file.read()
        except OSError:  # removed, or a link to nowhere
            continue
        if NOT_TEXT in data:
            continue
        text = data.decode("utf-8", errors="replace")
        for word, why in WORDS:
            for found in word.finditer(text):
                line = text.count("\n", 0, found.start()) + 1
                yield f"{path}:{line}: '{found[0].strip()}' is {why}"


if __name__ == "__main__":
    sources.run(check)
