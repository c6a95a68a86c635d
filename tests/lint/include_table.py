#!/usr/bin/env -S python3 -B
"""Who may include whom: the table of docs/architecture.md, held over every .c and .h.

A path that ends in / is a room and all that is in it.  The longest path that a file begins with is
its row.  What is not allowed is forbidden, so that a new dependency is a line in this file.
"""

import os
import re

import sources

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:<([^>]+)>|"([^"]+)")', re.MULTILINE)

# Ours that every room may use: pure, and small enough to be a habit rather than a dependency.
LEAVES = ["proto/status.h", "proto/limits.h", "proto/timestamp.h", "proto/utf8.h"]
MESSAGES = "proto/billing.pb-c.h"  # generated from billing.proto
# the store as others see it
STORE = ["billingd/store/store.h", "billingd/store/record.h", "billingd/store/sum.h"]

# row: (ours that it may include, what of the libraries)
ROOMS = {
    "proto/": (["proto/"], ["protobuf-c"]),
    "libbilling/include/": (["libbilling/include/"], []),
    "libbilling/": (["libbilling/", "proto/"], ["protobuf-c"]),
    "billingctl/": (["billingctl/", "libbilling/include/"], ["json-c", "openssl"]),
    "billingd/base/": (["billingd/base/", *LEAVES], []),
    "billingd/base/sha256.": (["billingd/base/"], ["openssl"]),
    "billingd/store/": (
        ["billingd/store/", "billingd/base/", "proto/decimal.h", *LEAVES],
        ["xxhash"],
    ),
    "billingd/store/lmdb/": (
        ["billingd/store/", "billingd/base/", "proto/decimal.h", *LEAVES],
        ["lmdb", "xxhash"],
    ),
    "billingd/ledger/": (
        ["billingd/ledger/", "billingd/base/", "proto/decimal.h", *STORE, *LEAVES],
        ["xxhash"],
    ),
    "billingd/commit/": (
        ["billingd/commit/", "billingd/ledger/", "billingd/base/", *STORE, *LEAVES],
        [],
    ),
    "billingd/report/": (["billingd/report/", "billingd/base/", *LEAVES], []),
    "billingd/report/sender.": (["billingd/report/", "billingd/base/", *LEAVES], ["curl"]),
    "billingd/rpc/": (
        ["billingd/rpc/", "billingd/ledger/", "billingd/commit/", "billingd/base/", "proto/"],
        ["json-c", "protobuf-c", "xxhash"],
    ),
    # how a Response becomes bytes is a door's own: frames, or JSON
    "billingd/net/": (
        ["billingd/net/", "billingd/rpc/", "billingd/base/", "proto/frame.h", "proto/json_writer.h",
         "proto/uuid.h", MESSAGES, *LEAVES],
        ["uv", "llhttp"],
    ),
    # What stands beside the rooms builds them, and may see all of them.
    "billingd/access.": (["billingd/", "proto/"], []),
    "billingd/daemon.": (["billingd/", "proto/"], ["uv"]),
    "billingd/entrances.": (["billingd/", "proto/"], ["uv"]),
    "billingd/reload.": (["billingd/", "proto/"], ["uv"]),
    "billingd/watchdog.": (["billingd/watchdog.h", "billingd/base/", "billingd/commit/", *LEAVES], ["uv"]),
    "billingd/store_watch.": (
        ["billingd/store_watch.h", "billingd/store/store.h", "billingd/base/", *LEAVES],
        [],
    ),
    "billingd/activation.": (["billingd/activation.h", "billingd/base/", *LEAVES], []),
    "billingd/main.c": (["billingd/", "proto/"], []),
    "billingd/config": (["billingd/", "proto/"], ["libconfig"]),
    "billingd/metrics.": (["billingd/", "proto/"], []),
    "billingd/process_metrics.": (["billingd/process_metrics.h", "billingd/base/", *LEAVES], []),
    # Tests and measurements look into everything.
    "tests/": ([""], ["*"]),
    "bench/": ([""], ["*"]),
}

LIBRARIES = {
    "cmocka": r"cmocka\.h",
    "curl": r"curl/.*",
    "gmp": r"gmp\.h",
    "json-c": r"json-c/.*",
    "libconfig": r"libconfig\.h",
    "libpq": r"libpq-fe\.h",
    "llhttp": r"llhttp\.h",
    "lmdb": r"lmdb\.h",
    "openssl": r"openssl/.*",
    "protobuf-c": r"protobuf-c/.*",
    "uv": r"uv\.h",
    "xxhash": r"xxhash\.h",
}

LIBC = re.compile(
    r"""(assert|ctype|dirent|dlfcn|endian|errno|fcntl|ftw|getopt|grp|inttypes|limits|locale|malloc|math
      |netdb|poll|pthread|pwd|regex|sched|setjmp|signal|spawn|stdarg|stdatomic|stdbool|stddef|stdint
      |stdio|stdlib|string|strings|syslog|termios|threads|time|unistd|wchar|wctype)\.h
      |(sys|netinet|arpa|net|linux)/[a-z_0-9]+\.h""",
    re.VERBOSE,
)

# No clock, no socket, no thread, no file: these rooms compute.
PURE = ("proto/", "billingd/ledger/")
IMPURE = re.compile(
    r"(dirent|dlfcn|fcntl|netdb|poll|pthread|sched|setjmp|signal|spawn|stdatomic|syslog|termios"
    r"|threads|time|unistd)\.h|(sys|netinet|arpa|net|linux)/.*"
)

# Below libc, and these few, one header has the say for everybody.
ONLY_HERE = {
    "cmocka": ["tests/lib/testkit.h"],  # it needs others before it
}


def row_of(path):
    rows = [row for row in ROOMS if path.startswith(row)]
    return max(rows, key=len) if rows else None


def resolve(root, path, name):
    """The path below the top of what #include "NAME" in PATH means."""
    if name == "billing.pb-c.h":
        return MESSAGES
    beside = os.path.normpath(os.path.join(os.path.dirname(path), name))
    return beside if os.path.exists(os.path.join(root, beside)) else name


def judge_ours(row, included):
    allowed = ROOMS[row][0]
    if not included.startswith(tuple(allowed)):
        return f"{row} may not include {included}"
    return None


def judge_foreign(path, row, name):
    library = next((n for n, form in LIBRARIES.items() if re.fullmatch(form, name)), None)
    if library is not None:
        if path not in ONLY_HERE.get(library, [path]):
            return f"<{name}> belongs in {' '.join(ONLY_HERE[library])}"
        allowed = ROOMS[row][1]
        return None if library in allowed or "*" in allowed else f"{row} may not include <{name}>"
    if LIBC.fullmatch(name) is None:
        return f"<{name}> is in no table of tests/lint/include_table.py"
    if path.startswith(PURE) and IMPURE.fullmatch(name):
        return f"<{name}> in a room that only computes"
    return None


def check(root):
    for path in sources.files(root):
        row = row_of(path)
        text = sources.without_comments(sources.read(root, path))
        for include in INCLUDE.finditer(text):
            foreign, ours = include.groups()
            line = text.count("\n", 0, include.start()) + 1
            if row is None:
                wrong = "is in no room of tests/lint/include_table.py"
            elif ours is not None:
                wrong = judge_ours(row, resolve(root, path, ours))
            elif foreign.startswith("billing/"):
                wrong = judge_ours(row, "libbilling/include/" + foreign)
            else:
                wrong = judge_foreign(path, row, foreign)
            if wrong:
                yield f"{path}:{line}: {wrong}"


if __name__ == "__main__":
    sources.run(check)
