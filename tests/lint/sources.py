"""What the lints share: the sources of the project, and C without what only people read."""

import os
import re
import sys

PLACES = ("proto", "libbilling", "billingd", "billingctl", "bench", "tests")

TOKEN = re.compile(
    r"""/\*.*?(?:\*/|\Z)            # a comment
      | //[^\n]*                    # one of the kind that the house does not use
      | "(?:\\.|[^"\\\n])*"         # a string
      | '(?:\\.|[^'\\\n])*'         # a character
      """,
    re.DOTALL | re.VERBOSE,
)


def files(root, suffixes=(".c", ".h"), places=PLACES):
    """The paths below ROOT of the files with one of SUFFIXES in PLACES, sorted."""
    found = []
    for place in places:
        for directory, _, names in os.walk(os.path.join(root, place)):
            found += [
                os.path.relpath(os.path.join(directory, name), root)
                for name in names
                if name.endswith(suffixes)
            ]
    return sorted(found)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def blank(text):
    """TEXT as blanks, its lines kept."""
    return re.sub(r"[^\n]", " ", text)


def without_comments(text):
    """C with blanks for comments; strings stay."""
    return TOKEN.sub(lambda m: blank(m[0]) if m[0].startswith("/") else m[0], text)


def run(check):
    """The main() of a lint: print what CHECK(root) yields, "path:line: what is wrong"."""
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    wrong = list(check(root))
    for line in wrong:
        print(line)
    sys.exit(1 if wrong else 0)
