"""Seeded bugs: how one is written down, and how it is put into the code.

A file of tests/mutations is one bug:

    The promise that it breaks, in a line or a few.

    tests: unit.decimal store.contract_.*
    --- proto/decimal.c
    what stands there
    +++
    what stands there instead

with as many such pieces as it takes.  Each old text stands in its file exactly once; blanks and the
ends of lines are all the same to it, so that a mutation outlives a reformatting.  The tests are
those that are known to catch it, as regular expressions of whole names.
"""

import os
import re

SUFFIX = ".mutation"
HEAD = re.compile(r"(?P<promise>.+?)\n\ntests: (?P<tests>[^\n]+)\n(?P<pieces>--- .+)", re.DOTALL)
PIECE = re.compile(r"^--- (\S+)\n(.*?)^\+\+\+\n(.*?)(?=^--- |\Z)", re.DOTALL | re.MULTILINE)


class Unfit(Exception):
    """A mutation that says nothing, or does not fit the code."""


class Mutation:
    def __init__(self, name, text):
        head = HEAD.fullmatch(text)
        self.name = name
        if not head:
            raise Unfit("is not a promise, tests, and pieces of code")
        self.promise = " ".join(head["promise"].split())
        self.tests = [re.compile(each) for each in head["tests"].split()]
        self.pieces = PIECE.findall(head["pieces"])
        if "".join(f"--- {path}\n{old}+++\n{new}" for path, old, new in self.pieces) != head["pieces"]:
            raise Unfit("has a piece of code without a +++")

    def names(self, test):
        """Whether TEST is one of those that are to catch it."""
        return any(each.fullmatch(test) for each in self.tests)

    def apply(self, root):
        """{path: text}: the files below ROOT that it changes, changed."""
        changed = {}
        for path, old, new in self.pieces:
            if path not in changed:
                changed[path] = read(root, path)
            changed[path] = replace_only(changed[path], old, new, path)
        return changed


def read(root, path):
    try:
        with open(os.path.join(root, path), encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise Unfit(f"{path} cannot be read: {error.strerror}") from error


def replace_only(text, old, new, path):
    """TEXT with NEW for OLD, which must be in it once."""
    words = old.split()
    if not words or words == new.split():
        raise Unfit(f"changes nothing in {path}")
    found = list(re.finditer(r"\s+".join(map(re.escape, words)), text))
    if len(found) != 1:
        raise Unfit(f"its old text stands {len(found)} times in {path}, and must once")
    return text[:found[0].start()] + new.strip() + text[found[0].end():]


def paths(root):
    """The paths of all mutations, sorted, below ROOT."""
    folder = os.path.join(root, "tests", "mutations")
    if not os.path.isdir(folder):
        return []
    return sorted(f"tests/mutations/{name}" for name in os.listdir(folder) if name.endswith(SUFFIX))


def load(root, path):
    return Mutation(os.path.basename(path)[:-len(SUFFIX)], read(root, path))
