#!/usr/bin/env -S python3 -B
"""Fuzz: every target of tests/fuzz, built in BUILD with BILLING_FUZZ, for its share of the time.

tests/fuzz/campaign.py [--minutes N] [--seed S] [--build BUILD] [--slice SECONDS] [--dry]
                       [TARGET...]

Inputs that reach something new are kept in BUILD/corpus/<name>, from one campaign to the next; the
fewest that reach every line and branch that they do, and none that is long, go into
tests/fuzz/corpus/<name> at the end, which the test suite replays.  So does an input that breaks a
property: found-<hash>, to stay there as its own test.  With --dry nothing goes into the tree: what
is found stays in BUILD/corpus/<name>.

Prints a line a run, one a target and, last, one of JSON.  SIGINT and SIGTERM end it early, with all
of that.  Ends with 0 only where nothing was found.
"""

import argparse
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
KEPT_MAX = 100  # files of a target in the tree
KEPT_BYTES_MAX = 2048  # of one
INPUT_BYTES_MAX = 4096
INPUT_SECONDS_MAX = 25  # then it hangs
MEMORY_MIB_MAX = 3000


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--build", default="build/fuzz")
    parser.add_argument("--slice", type=float, default=50, help="seconds of one run at most")
    parser.add_argument("--wrapper", default="", help="a command in front of each run")
    parser.add_argument("--dry", action="store_true", help="leave the tree as it is")
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    return parser.parse_args()


class Target:
    """One target, and what its runs have added up to."""

    def __init__(self, name, options):
        self.name = name
        self.program = f"{options.build}/tests/fuzz/fuzz_{name}"
        self.kept = f"{HERE}/corpus/{name}"
        self.corpus = f"{options.build}/corpus/{name}"
        self.for_found = self.corpus if options.dry else self.kept
        self.wrapper = options.wrapper.split()
        self.inputs = 0
        self.cpu_seconds = 0.0
        self.found = []
        os.makedirs(self.kept, exist_ok=True)
        os.makedirs(self.corpus, exist_ok=True)

    def call(self, *words):
        """Run the target.  Its exit status, and what it said."""
        with tempfile.TemporaryFile() as said:
            # pylint: disable-next=consider-using-with
            process = subprocess.Popen([*self.wrapper, self.program, *words], stdout=said,
                                       stderr=subprocess.STDOUT)
            try:
                _, status, usage = os.wait4(process.pid, 0)
            except KeyboardInterrupt:
                process.terminate()
                raise
            process.returncode = os.waitstatus_to_exitcode(status)
            self.cpu_seconds += usage.ru_utime + usage.ru_stime
            said.seek(0)
            return process.returncode, said.read().decode(errors="replace")

    def run(self, seconds, seed):
        dictionary = f"{HERE}/dict/{self.name}.dict"
        with tempfile.TemporaryDirectory() as artifacts:
            status, said = self.call(
                *([f"-dict={dictionary}"] if os.path.exists(dictionary) else []),
                f"-max_total_time={max(1, round(seconds))}", f"-seed={seed % 2**32 or 1}",
                f"-max_len={INPUT_BYTES_MAX}", "-len_control=10", f"-timeout={INPUT_SECONDS_MAX}",
                f"-report_slow_units={INPUT_SECONDS_MAX}",  # else a busy machine's are kept as found
                f"-rss_limit_mb={MEMORY_MIB_MAX}", "-print_final_stats=1", "-print_funcs=0",
                f"-artifact_prefix={artifacts}/", self.corpus, self.kept)
            inputs = re.search(r"number_of_executed_units:\s*(\d+)", said)
            self.inputs += int(inputs[1]) if inputs else 0
            print(f"{self.name}: {self.inputs} inputs, {self.cpu_seconds:.0f} CPU seconds",
                  flush=True)
            artifact_paths = sorted(glob.glob(f"{artifacts}/*"))
            for path in artifact_paths:
                self.keep_found(path)
            if status != 0 and not artifact_paths:
                self.found.append(f"it ended with {status} and left no input")
            if status != 0:
                print(said[-6000:], file=sys.stderr)

    def keep_found(self, path):
        kept = f"{self.for_found}/found-{os.path.basename(path).rsplit('-', 1)[-1][:16]}"
        shutil.copyfile(path, kept)
        self.found.append(kept)

    def minimise(self):
        """Put into the tree what reaches all that was reached, beside what was given a name."""
        with tempfile.TemporaryDirectory() as fewest:
            status, said = self.call(
                "-set_cover_merge=1", "-use_counters=0", f"-max_len={KEPT_BYTES_MAX}",
                f"-rss_limit_mb={MEMORY_MIB_MAX}", fewest, self.kept, self.corpus)
            if status != 0:
                print(said[-2000:], file=sys.stderr)
                return
            names = sorted(os.listdir(fewest), key=lambda n: (os.path.getsize(f"{fewest}/{n}"), n))
            for name in os.listdir(self.kept):
                if re.fullmatch(r"[0-9a-f]{40}", name):
                    os.remove(f"{self.kept}/{name}")
            room = KEPT_MAX - len(os.listdir(self.kept))
            for name in names[:max(0, room)]:
                shutil.copyfile(f"{fewest}/{name}", f"{self.kept}/{name}")


def stop(number, _frame):
    raise KeyboardInterrupt(number)


def campaign(targets, options):
    """Run TARGETS in turns, so that each gets its share of the time also where it is cut short."""
    share = options.minutes * 60 / len(targets)
    turns = max(1, -(-share // options.slice))
    signal.signal(signal.SIGTERM, stop)
    try:
        for turn in range(int(turns)):
            for target in targets:
                if not target.found:
                    target.run(share / turns, options.seed + turn)
    except KeyboardInterrupt:
        print("ended early", flush=True)


def main():
    options = parse()
    start = time.monotonic()
    names = options.targets or sorted(
        os.path.basename(path)[len("fuzz_"):-len(".c")] for path in glob.glob(f"{HERE}/fuzz_*.c"))
    targets = [Target(name, options) for name in names]
    campaign(targets, options)
    for target in targets:
        if not options.dry:
            target.minimise()
        print(f"{target.name:10} {target.inputs:10} inputs, {target.cpu_seconds:6.0f} CPU seconds",
              *target.found, flush=True)
    violations = sum(len(target.found) for target in targets)
    print(json.dumps({
        "part": "fuzz", "runs": sum(target.inputs for target in targets), "faults": 0,
        "acknowledged": 0, "lost": 0, "doubled": 0, "violations": violations,
        "seconds": round(time.monotonic() - start),
        "cpu_seconds": round(sum(target.cpu_seconds for target in targets)),
        "seed": options.seed,
        "targets": {target.name: round(target.cpu_seconds) for target in targets},
    }))
    sys.exit(1 if violations else 0)


if __name__ == "__main__":
    main()
