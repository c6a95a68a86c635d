#!/usr/bin/env -S python3 -B
"""What scripts/prove makes of results, of tests that hang and of parts that cannot be run; what it
leaves in the tree; and how seeded bugs go on where they stopped."""

import argparse
import contextlib
import importlib.machinery
import importlib.util
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def load(name, path):
    loader = importlib.machinery.SourceFileLoader(name, f"{TOP}/{path}")
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


prove = load("prove", "scripts/prove")
mutations = load("scripts_mutations", "scripts/mutations")
campaign = load("campaign", "tests/fuzz/campaign.py")


def silent(call, *arguments):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return call(*arguments)

RESULTS = """\
{"part": "kill", "date": "2026-11-27", "runs": 3, "faults": 60, "acknowledged": 12000, "lost": 0, \
"doubled": 0, "violations": 0, "seconds": 1800}
{"part": "fuzz", "date": "2026-11-25", "runs": 5, "violations": 2, "seconds": 9, \
"cpu_seconds": 7200}

{"part": "kill", "date": "2026-11-26", "runs": 1, "faults": 20, "acknowledged": 500, "lost": 1, \
"doubled": 2, "violations": 3, "seconds": 1800}
"""


class Totals(unittest.TestCase):
    def test_campaigns_add_up(self):
        kill = prove.totals(prove.read_results(RESULTS))["kill"]
        self.assertEqual(kill, {"runs": 4, "faults": 80, "acknowledged": 12500, "lost": 1,
                                "doubled": 2, "violations": 3, "campaigns": 2, "not_run": 0,
                                "seconds": 3600, "last": "2026-11-27"})

    def test_what_could_not_be_run_is_no_campaign(self):
        results = prove.read_results(RESULTS + '{"part": "kill", "failed": "no compiler"}\n')
        kill = prove.totals(results)["kill"]
        self.assertEqual((kill["campaigns"], kill["not_run"], kill["violations"]), (2, 1, 3))

    def test_only_parts_that_ran_have_a_row(self):
        lines = prove.table(prove.totals(prove.read_results(RESULTS))).splitlines()
        self.assertEqual(len(lines), 4)
        self.assertEqual(lines[2],
                         "| kill | 2 | 0 | 1.0 | 4 | 80 | 12,500 | 1 | 2 | 3 | 2026-11-27 |")
        self.assertEqual(lines[3], "| fuzz | 1 | 0 | 2.0 | 5 | 0 | 0 | 0 | 0 | 2 | 2026-11-25 |")

    def test_what_stands_around_the_table_stays(self):
        page = f"a\n{prove.BEGIN}\nold\n{prove.END}\nb\n"
        self.assertEqual(prove.with_table(page, "new"), f"a\n{prove.BEGIN}\nnew\n{prove.END}\nb\n")

    def test_the_page_has_the_totals_of_all_results(self):
        with open(f"{TOP}/{prove.RESULTS}", encoding="utf-8") as file:
            table = prove.table(prove.totals(prove.read_results(file.read())))
        with open(f"{TOP}/{prove.PAGE}", encoding="utf-8") as file:
            page = file.read()
        self.assertEqual(prove.with_table(page, table), page)


class Programs(unittest.TestCase):
    def test_the_last_line_of_json_counts(self):
        self.assertEqual(prove.last_json('{"runs": 1}\nx\n{"runs": 2}\n'), {"runs": 2})
        self.assertIsNone(prove.last_json("no result\n"))
        self.assertIsNone(prove.last_json('{"runs": 1}\n{"runs": \n'))

    def test_a_failed_program_is_a_violation_whatever_it_says(self):
        said = "import sys; print('{\"runs\": 1, \"violations\": 0}'); sys.exit(1)"
        result = silent(prove.run_program, "kill", [sys.executable, "-c", said], 1)
        self.assertEqual((result["part"], result["violations"]), ("kill", 1))

    def test_a_program_that_falls_over_is_a_violation(self):
        result = prove.run_program("kill", [sys.executable, "-c", "import os; os.abort()"], 7)
        self.assertEqual((result["violations"], result["seed"]), (1, 7))

    def test_a_script_that_falls_over_has_not_run(self):
        with self.assertRaises(prove.Failed):
            prove.run_program("coverage", [sys.executable, "-c", "raise SystemExit(1)"], 1,
                              is_script=True)

    def test_a_program_that_says_nothing_has_not_run(self):
        with self.assertRaises(prove.Failed):
            prove.run_program("kill", [sys.executable, "-c", "pass"], 1)


def test_that(python, seconds):
    """A test of CTest's, which lets it take SECONDS."""
    return {"name": "unit.some", "command": [sys.executable, "-c", python],
            "properties": [{"name": "TIMEOUT", "value": seconds},
                           {"name": "SKIP_RETURN_CODE", "value": 77}]}


# It holds on to the output, as does what it has started, and heeds no request to end.
HANGING = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.fork()
print(os.getpid(), flush=True)
time.sleep(1000)
"""


class Tests(unittest.TestCase):
    def test_each_end_of_a_test_is_told_from_the_others(self):
        for python, how in (("pass", "passed"), ("raise SystemExit(77)", "passed"),
                            ("raise SystemExit(1)", "FAILED"), ("import os; os.abort()", "FAILED")):
            with self.subTest(python):
                self.assertEqual(silent(prove.run_test, test_that(python, 60), []), how)

    def test_one_that_hangs_is_a_violation(self):
        result = silent(prove.run_tests, "tsan", [test_that(HANGING, 0.2)], [], 1, 1,
                        os.devnull)
        self.assertEqual((result["runs"], result["violations"]), (1, 1))

    def test_it_is_ended_with_all_that_it_started(self):
        with subprocess.Popen([sys.executable, "-c", HANGING], stdout=subprocess.PIPE,
                              start_new_session=True) as process:
            for _ in range(2):
                process.stdout.readline()
            prove.stop(process)
            self.assertEqual(process.stdout.read(), b"")  # ends once nobody holds on to it

    def test_none_begins_once_the_time_is_up(self):
        result = silent(prove.run_tests, "tsan", [test_that("raise SystemExit(1)", 60)], [], 0, 1,
                        os.devnull)
        self.assertEqual((result["runs"], result["left"], result["violations"]), (0, 1, 0))

    def test_those_that_had_no_time_are_the_first_of_the_next(self):
        tests = [{"name": name} for name in "abcdefgh"]
        with tempfile.NamedTemporaryFile() as left:
            silent(prove.run_tests, "tsan", tests[2:6], [], 0, 1, left.name)
            order = [test["name"] for test in prove.in_turn(tests, 2, left.name)]
        self.assertEqual((set(order[:4]), set(order[4:])), (set("cdef"), set("abgh")))


class InATree(unittest.TestCase):
    """A part in a tree of its own, whose only result that was there is one of fuzzing."""

    def setUp(self):
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        self.results = f"{home.name}/{prove.RESULTS}"
        os.makedirs(os.path.dirname(self.results))
        self.write(self.results, '{"part": "fuzz"}\n')
        self.write(f"{home.name}/{prove.PAGE}", f"{prove.BEGIN}\n{prove.END}\n")
        patch = mock.patch.object(prove, "TOP", home.name)
        patch.start()
        self.addCleanup(patch.stop)

    def write(self, path, text):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def prove(self, part, dry=False):
        options = argparse.Namespace(commit="c", seed=1, dry=dry)
        with mock.patch.dict(prove.PARTS, {"kill": part}):
            result = silent(prove.prove, "kill", 1, options)
        with open(self.results, encoding="utf-8") as file:
            kept = prove.read_results(file.read())[1:]
        return result, kept


class Parts(InATree):
    def test_one_that_cannot_be_run_is_wrong_and_leaves_a_line(self):
        def fails(*_):
            raise prove.Failed("no compiler")
        result, kept = self.prove(fails)
        self.assertTrue(prove.is_wrong(result))
        self.assertEqual(kept, [result])
        self.assertEqual((kept[0]["part"], kept[0]["failed"], kept[0]["commit"]),
                         ("kill", "no compiler", "c"))

    def test_one_whose_tools_are_missing_leaves_a_line(self):
        result, kept = self.prove(lambda *_: prove.call(["/no/such/tool"]))
        self.assertTrue(prove.is_wrong(result))
        self.assertEqual(kept, [result])

    def test_a_model_that_does_not_build_differs_in_nothing(self):
        with mock.patch.object(prove, "build", side_effect=prove.Failed("building failed")), \
                mock.patch.object(prove, "call") as call:
            result, _ = self.prove(prove.prove_model)
        self.assertEqual((result["failed"], "violations" in result), ("building failed", False))
        call.assert_not_called()

    def test_one_that_ran_nothing_is_wrong(self):
        result, kept = self.prove(lambda *_: {"part": "kill", "runs": 0, "violations": 0})
        self.assertTrue(prove.is_wrong(result))
        self.assertEqual(kept[0]["failed"], "nothing was run")

    def test_one_that_ran_is_wrong_only_with_a_violation(self):
        for violations in (0, 1):
            result, kept = self.prove(
                lambda *_, n=violations: {"part": "kill", "runs": 1, "violations": n})
            self.assertEqual(prove.is_wrong(result), violations == 1)
            self.assertEqual(kept[-1], result)

    def test_dry_leaves_no_line(self):
        for part in (lambda *_: {"part": "kill", "runs": 1}, lambda *_: {"part": "kill"}):
            _, kept = self.prove(part, dry=True)
            self.assertEqual(kept, [])

    def test_only_what_is_not_a_result_makes_a_tree_dirty(self):
        self.write(f"{prove.TOP}/file", "a")
        for words in (("init", "-q"), ("add", "."),
                      ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a")):
            prove.git(*words)
        name = prove.commit()
        self.assertRegex(name, "^[0-9a-f]{12}$")
        self.write(self.results, "{}\n")
        self.assertEqual(prove.commit(), name)
        self.write(f"{prove.TOP}/file", "b")
        self.assertEqual(prove.commit(), f"{name}-dirty")


# Asks for an end itself, and once more where it is told so and has nothing to say.
ASKS = """
import os, signal, sys
def told(*_):
    if sys.argv[1] == "silent":
        os.kill(os.getppid(), signal.SIGTERM)
    else:
        print('{"runs": 7, "violations": 0}', flush=True)
        sys.exit(0)
signal.signal(signal.SIGINT, told)
os.kill(os.getppid(), signal.SIGTERM)
while True:
    signal.pause()
"""


class EarlyEnd(InATree):
    def setUp(self):
        super().setUp()
        before = {number: signal.getsignal(number)
                  for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        self.addCleanup(lambda: [signal.signal(*each) for each in before.items()])
        self.addCleanup(lambda: setattr(prove.End, "asked", 0))
        prove.heed_signals()

    def test_what_was_found_until_then_is_kept(self):
        result, kept = self.prove(lambda *_: prove.run_program(
            "kill", [sys.executable, "-c", ASKS, "says"], 1))
        self.assertEqual((result["runs"], result["violations"]), (7, 0))
        self.assertEqual(kept, [result])

    def test_a_second_signal_waits_for_nothing_and_keeps_nothing(self):
        found = self.prove(lambda *_: prove.run_program(
            "kill", [sys.executable, "-c", ASKS, "silent"], 1))
        self.assertEqual(found, (None, []))

    def test_a_test_that_was_under_way_does_not_count(self):
        asks = test_that("import os, signal; os.kill(os.getppid(), signal.SIGINT); signal.pause()",
                         60)
        tests = [asks, asks]
        found = self.prove(lambda *_: prove.run_tests("tsan", tests, [], 1, 1,
                                                          os.devnull))
        self.assertEqual((found, prove.End.asked), ((None, []), 1))

    def test_nothing_begins_any_more(self):
        prove.End.asked = 1
        with self.assertRaises(prove.Ended):
            prove.call(["/no/such/tool"])


class Arguments(unittest.TestCase):
    def test_what_is_no_number_of_the_range_is_refused(self):
        minutes = prove.within(float, 0.5, 60)
        self.assertEqual((minutes("0.5"), minutes("60")), (0.5, 60))
        for text in ("0", "61", "-1", "nan", "inf", "x", ""):
            with self.subTest(text), self.assertRaises(argparse.ArgumentTypeError):
                minutes(text)


# A target that breaks a property at once, and lets its corpus be merged to nothing.
BREAKS = """#!/bin/sh
for word; do
    case $word in
    -artifact_prefix=*) echo x >"${word#*=}crash-0123456789abcdef0123"; exit 77 ;;
    esac
done
"""


class Fuzzing(unittest.TestCase):
    def run_campaign(self, *words):
        """The campaign's result, and the files of its corpus in the tree and in the build."""
        with tempfile.TemporaryDirectory() as home:
            program = f"{home}/build/tests/fuzz/fuzz_some"
            kept = f"{home}/corpus/some"
            os.makedirs(os.path.dirname(program))
            os.makedirs(kept)
            with open(program, "w", encoding="utf-8") as file:
                file.write(BREAKS)
            os.chmod(program, 0o755)
            with open(f"{kept}/{'0' * 40}", "w", encoding="utf-8"):
                pass
            said = io.StringIO()
            arguments = ["campaign.py", "--build", f"{home}/build", *words, "some"]
            with mock.patch.object(campaign, "HERE", home), \
                    mock.patch.object(sys, "argv", arguments), \
                    contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()), \
                    self.assertRaises(SystemExit) as ended:
                campaign.main()
            self.assertEqual(ended.exception.code, 1)
            return (json.loads(said.getvalue().splitlines()[-1]), os.listdir(kept),
                    os.listdir(f"{home}/build/corpus/some"))

    def test_what_is_found_goes_into_the_tree_and_the_corpus_is_minimised(self):
        result, kept, _ = self.run_campaign()
        self.assertEqual(result["violations"], 1)
        self.assertEqual(kept, ["found-0123456789abcdef"])

    def test_dry_leaves_the_tree_as_it_is(self):
        result, kept, built = self.run_campaign("--dry")
        self.assertEqual(result["violations"], 1)
        self.assertEqual(kept, ["0" * 40])
        self.assertEqual(built, ["found-0123456789abcdef"])

    def test_prove_says_so(self):
        with mock.patch.object(prove, "build", return_value="b"), \
                mock.patch.object(prove, "run_program") as run:
            for dry in (False, True):
                prove.prove_fuzz("fuzz", 1, 1, dry)
                self.assertEqual("--dry" in run.call_args.args[1], dry)


class SeededBugs(unittest.TestCase):
    def setUp(self):
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        self.path = f"{home.name}/progress.json"
        self.all = [argparse.Namespace(name=name) for name in "abc"]

    def remaining(self, tree):
        return [each.name for each in mutations.Progress(self.path, tree).remaining(self.all)]

    def test_they_go_on_where_they_stopped(self):
        self.assertEqual(self.remaining("tree"), ["a", "b", "c"])
        mutations.Progress(self.path, "tree").add_caught("b")
        self.assertEqual(self.remaining("tree"), ["a", "c"])

    def test_those_of_another_tree_are_tried_anew(self):
        mutations.Progress(self.path, "tree").add_caught("b")
        self.assertEqual(self.remaining("other"), ["a", "b", "c"])

    def test_once_all_were_caught_they_begin_anew(self):
        for name in "abc":
            mutations.Progress(self.path, "tree").add_caught(name)
        self.assertEqual(self.remaining("tree"), ["a", "b", "c"])

    def test_half_written_progress_is_none(self):
        with open(self.path, "w", encoding="utf-8") as file:
            file.write('{"tree":')
        self.assertEqual(self.remaining("tree"), ["a", "b", "c"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
