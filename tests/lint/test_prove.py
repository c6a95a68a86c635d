#!/usr/bin/env -S python3 -B
"""What scripts/prove makes of results: totals, the table, and the page around it."""

import importlib.machinery
import importlib.util
import os
import sys
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LOADER = importlib.machinery.SourceFileLoader("prove", f"{TOP}/scripts/prove")
prove = importlib.util.module_from_spec(importlib.util.spec_from_loader("prove", LOADER))
LOADER.exec_module(prove)

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
                                "doubled": 2, "violations": 3, "campaigns": 2, "seconds": 3600,
                                "last": "2026-11-27"})

    def test_only_parts_that_ran_have_a_row(self):
        lines = prove.table(prove.totals(prove.read_results(RESULTS))).splitlines()
        self.assertEqual(len(lines), 4)
        self.assertEqual(lines[2],
                         "| kill | 2 | 1.0 | 4 | 80 | 12,500 | 1 | 2 | 3 | 2026-11-27 |")
        self.assertEqual(lines[3], "| fuzz | 1 | 2.0 | 5 | 0 | 0 | 0 | 0 | 2 | 2026-11-25 |")

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
        result = prove.run_program("kill", [sys.executable, "-c", said])
        self.assertEqual((result["part"], result["violations"]), ("kill", 1))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
