#!/usr/bin/env -S python3 -B
"""What no file may hold: calls that have no safe use, fractions of money in floating point, the
inside of a decimal, a clock in the ledger, a sleep in a test; and no file may grow past a bound."""

import re

import sources

LINES_MAX = 800
ROOMS = tuple(f"billingd/{room}/" for room in ("commit", "ledger", "net", "rpc", "store"))
MONEY = ("proto/", "billingd/ledger/", "billingd/store/", "billingd/rpc/")


def call(names):
    return re.compile(rf"(?<![\w.>])({names})\s*\(")


def everywhere(path):
    return True


# (where, what, why)
RULES = [
    (
        everywhere,
        call("v?sprintf|strcpy|strcat|gets|alloca|strtok|system|atoi|atol|atoll|atof"),
        "has no safe use",
    ),
    (
        lambda path: path.startswith(MONEY),
        re.compile(r"\b(double|float|_Float\d+\w*|_Decimal\d+|strtod|strtof|strtold)\b"),
        "would bend money",
    ),
    (
        lambda path: path.startswith(MONEY),
        call("json_object_get_double|json_object_new_double"),
        "would bend money",
    ),
    (
        lambda path: path not in ("proto/decimal.c", "proto/decimal.h"),
        re.compile(r"(?:\.|->)\s*(mantissa|whole|fraction)\b"),
        "is the inside of a decimal: proto/decimal.c alone",
    ),
    (
        lambda path: path.startswith("billingd/ledger/"),
        call("time|clock|clock_gettime|gettimeofday|clock_wall_us|clock_monotonic_us"),
        "is a clock: the ledger is handed its time",
    ),
    (
        lambda path: path.startswith(ROOMS),
        call("fopen|freopen|getenv|secure_getenv|printf|fprintf|dprintf|puts|fputs|perror"),
        "is for measuring: a room is configured, and logs",
    ),
    (
        lambda path: path.startswith("tests/"),
        call("sleep|usleep|nanosleep|clock_nanosleep"),
        "is no synchronisation",
    ),
    (everywhere, re.compile(r"(//).*"), "is a comment of the other kind"),
]


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def check(root):
    for path in sources.files(root):
        text = sources.read(root, path)
        strings_gone = re.sub(
            sources.TOKEN, lambda m: m[0] if m[0].startswith("//") else sources.blank(m[0]), text
        )
        for where, what, why in RULES:
            if where(path):
                for found in what.finditer(strings_gone):
                    yield f"{path}:{line_of(text, found.start(1))}: {found[1]} {why}"
        lines = text.count("\n")
        if lines > LINES_MAX:
            yield f"{path}:{lines}: more than {LINES_MAX} lines"
        public = path.startswith("libbilling/include/")
        if path.endswith(".h") and not public and "#pragma once" not in text.splitlines():
            yield f"{path}:1: no #pragma once"


if __name__ == "__main__":
    sources.run(check)
