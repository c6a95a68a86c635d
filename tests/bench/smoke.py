#!/usr/bin/env -S python3 -B
"""smoke.py PROGRAM CASE: billing-bench does what its help says, at sizes that take a moment.

Never how fast: only that it runs, ends well, leaves nothing behind, and says what makes sense."""

import json
import os
import subprocess
import sys
import tempfile

LATENCY = ("p50_us", "p99_us", "p999_us", "max_us")
WRITING = ("records", "seconds", "records_per_s", "longest_pause_ms")
SMALL = ["--customers", "10", "--window", "100"]


def run(program, *args, status=0):
    """What PROGRAM says on stdout, having ended with STATUS."""
    ended = subprocess.run([program, *args], capture_output=True, text=True, check=False)
    if ended.returncode != status:
        sys.exit(f"{args}: ended with {ended.returncode}, not {status}:\n{ended.stderr}")
    return ended.stdout


def measure(program, mode, *args):
    """The object in the last line of what MODE says."""
    with tempfile.TemporaryDirectory(dir=os.path.dirname(program)) as directory:
        said = run(program, mode, "--dir", directory, "--json", *args)
        left = os.listdir(directory)
    found = json.loads(said.splitlines()[-1])
    expect(left == [], f"files were left behind: {left}")
    expect(found["mode"] == mode, f"another mode: {found}")
    return found


def expect(true, otherwise):
    if not true:
        sys.exit(otherwise)


def expect_latency(found, name):
    values = [found[f"{name}_{which}"] for which in LATENCY]
    expect(values[0] > 0 and values == sorted(values), f"no latencies: {name}: {values}")


def expect_written(found, records, latency):
    expect(found["records"] == records, f"not {records} records: {found}")
    expect(all(found[name] > 0 for name in WRITING), f"figures are missing: {found}")
    expect(all(rate > 0 for rate in found["windows"]), f"not a rate: {found['windows']}")
    expect_latency(found, latency)


def sync(program):
    found = measure(program, "sync", "--samples", "20")
    expect_latency(found, "fdatasync_4k")
    expect_latency(found, "lmdb_commit")


def raw(program):
    for mode in ("raw-append", "raw-btree"):
        found = measure(program, mode, "--records", "450", "--batch", "100", *SMALL)
        expect_written(found, 450, "commit")
        expect(len(found["windows"]) == 4, f"not 4 windows: {found}")
        expect(found["bytes_per_record"] > 50, f"too few bytes: {found}")


def engine(program):
    for ids in ("random", "ordered"):
        found = measure(program, "engine", "--records", "450", "--batch", "100", "--ids", ids, *SMALL)
        expect_written(found, 450, "commit")
        expect(found["ids"] == ids, f"other ids: {found}")
        expect(found["bytes_per_record"] > 50 and found["rss_anon_mib"] > 0, f"no sizes: {found}")
        expect(found["reopen_ms"] > 0, f"not opened again: {found}")
    found = measure(program, "engine", "--records", "20", "--batch", "1", "--bare", *SMALL)
    expect_latency(found, "bare")
    expect(found["p50_to_bare"] > 0, f"no ratio: {found}")


def expect_traffic(found, records, requests):
    expect_written(found, records, "request")
    expect(found["refused"] == 0, f"refused: {found}")
    expect(found["requests"] == requests, f"not {requests} requests: {found}")


def rpc(program):
    found = measure(program, "rpc", "--records", "450", "--batch", "100", "--clients", "2", "--kill",
                    *SMALL)
    expect_traffic(found, 450, 5)
    expect(found["restart_ms"] > 0, f"not started again: {found}")
    found = measure(program, "rpc", "--records", "100", "--clients", "4", "--pipeline", "4", *SMALL)
    expect_traffic(found, 100, 100)
    found = measure(program, "rpc", "--records", "10", "--bare", *SMALL)
    expect_latency(found, "bare")


def open_loop(program):
    found = measure(program, "rpc", "--rate", "100", "--seconds", "1", "--clients", "4", *SMALL)
    expect(found["refused"] == 0, f"refused: {found}")
    expect(found["requests"] + found["unsent"] == 100, f"not 100 requests were due: {found}")
    expect_latency(found, "request")


def http(program):
    found = measure(program, "http", "--records", "450", "--batch", "100", "--clients", "2", *SMALL)
    expect_traffic(found, 450, 5)
    found = measure(program, "http", "--records", "50", "--clients", "4", *SMALL)
    expect_traffic(found, 50, 50)


def read(program):
    with tempfile.TemporaryDirectory(dir=os.path.dirname(program)) as store:
        for records in ("500", "600"):  # the second time only 100 are missing
            found = measure(program, "read", "--records", records, "--customers", "1", "--data-dir",
                            store, "--samples", "10", "--batch", "100")
            expect(found["records"] == int(records), f"not {records} records: {found}")
            expect(found["bill_records_max"] == int(records), f"not all are billed: {found}")
            for name in ("bill", "list", "usage", "request"):
                expect_latency(found, name)


def fairness(program):
    found = measure(program, "fairness", "--seconds", "1", "--samples", "2", "--clients", "2",
                    "--pipeline", "8", "--in-flight", "4", "--idle", "10", "--customers", "10")
    expect(len(found["shares"]) == found["rounds"] == 2, f"not 2 rounds: {found}")
    for name in ("alone_per_s", "beside_per_s", "flood_per_s", "share_min"):
        expect(found[name] > 0, f"no {name}: {found}")
    expect(found["share_min"] <= found["share"] <= found["share_max"], f"no range: {found}")
    expect(found["refused"] == found["flood_refused"] == 0, f"refused: {found}")


def command_line(program):
    said = run(program, "--help")
    expect(run(program, "-h") == said, "-h says something else")
    for word in ("raw-btree", "--records N", "--json", "--bare"):
        expect(word in said, f"the help says nothing of {word}")
    expect("lmdb_commit_p50_us" in run(program, "sync", "--samples", "1"), "no table")
    for wrong in ([], ["nothing"], ["sync", "--batch", "1"], ["fairness", "--records", "1"],
                  ["engine", "--records", "0"],
                  ["engine", "--records", "1x"], ["engine", "--records"], ["engine", "--keep=1"],
                  ["engine", "--ids", "none"], ["rpc", "--bare", "--clients", "2"],
                  ["rpc", "--url", "tcp://x"], ["rpc", "--url", "unix:///x", "--kill"],
                  ["http", "--http", "127.0.0.1:1"], ["engine", "word"]):
        run(program, *wrong, status=2)
    run(program, "rpc", "--url", "unix:///nowhere", status=1)
    seed = run(program, "raw-append", "--records", "1", "--seed", "1748583476").split("seed")[1]
    expect(seed.split()[0] == "1748583476", f"another seed: {seed}")


CASES = (sync, raw, engine, rpc, open_loop, http, read, fairness, command_line)

if __name__ == "__main__":
    next(case for case in CASES if case.__name__ == sys.argv[2])(sys.argv[1])
