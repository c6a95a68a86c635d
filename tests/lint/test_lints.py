#!/usr/bin/env -S python3 -B
"""Each lint is shown to bite: on a small project with one thing wrong, and on none without."""

import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
H = "#pragma once\n"

# A project with nothing wrong, in whose files the wrong things stand where they are no harm.
CLEAN = {
    "proto/decimal.h": H + "/* sprintf(), // and double are words here; so is <uv.h> */\n",
    "proto/decimal.c": '#include "proto/decimal.h"\nint f(struct d d) { return d.mantissa; }\n',
    "proto/frame.h": H + "#include <stdint.h>\n",
    "proto/frame.c": '#include "proto/frame.h"\n#include <protobuf-c/protobuf-c.h>\n'
    '#include "billing.pb-c.h"\nconst char *u = "http://sprintf(x) \\" // double";\n',
    "billingd/base/log.c": "#include <pthread.h>\n#include <sys/time.h>\n",
    "billingd/store/store.h": H + '#include "proto/decimal.h"\n',
    "billingd/store/lmdb/env.c": "#include <lmdb.h>\n",
    "billingd/ledger/bill.c": '#include "billingd/store/store.h"\nint timer(int x);\n'
    "int g(void) { return my_time() + lifetime(3) + a.time(1) + a->clock(2); }\n",
    "billingd/commit/committer.c": '#include "billingd/ledger/bill.h"\n',
    "billingd/rpc/json.c": '#include <json-c/json.h>\n#include "proto/frame.h"\n',
    "billingd/net/listener.c": "#include <uv.h>\n",
    "billingd/daemon.c": '#include <uv.h>\n#include "billingd/store/lmdb/env.h"\n',
    "libbilling/include/billing/billing.h": "#ifndef B\n#define B\n#endif\n",
    "libbilling/src/client.c": '#include <billing/billing.h>\n#include "proto/frame.h"\n',
    "billingctl/main.c": '#include <billing/billing.h>\n#include <json-c/json.h>\n',
    "tests/fuzz/CMakeLists.txt": "billing_fuzz(frame LINK x)\n",
    "tests/fuzz/fuzz_frame.c": "int x;\n",
    "tests/lib/testkit.h": H + "#include <cmocka.h>\n",
    "tests/unit/test_bill.c": '#include <uv.h>\n#include "billingd/ledger/bill.h"\n',
    "tests/store/engine_contract.c": "int main(void) { return 0; }\n",
    "tests/integration/test_http.c": "int main(void) { return 0; }\n",
    "tests/CMakeLists.txt": "billing_unit_test(bill LINK x)\n"
    "billing_store_test(contract MAIN store/engine_contract.c LINK x)\n"
    "billing_program_test(integration http)\n",
    "tests/mutations/bill.mutation": "A bill is right.\n\ntests: unit.bill\n"
    "--- billingd/ledger/bill.c\nint  timer(int\n x);\n+++\nint timer(void);\n"
    "--- billingd/commit/committer.c\nbill.h\n+++\nledger.h\n",
    "docs/notes.md": "A path such as ../work/x or ~/root/x, and the issue of 2026.\n",
}



def mutation(old, new, test="unit.bill", path="billingd/ledger/bill.c"):
    """One of NEW for OLD."""
    return f"A promise.\n\ntests: {test}\n--- {path}\n{old}\n+++\n{new}"


# lint: [(file, what to put into it, what the lint must say)]
WRONG = {
    "include_table": [
        ("proto/frame.c", '#include "billingd/base/log.h"', "proto/ may not include billingd/base"),
        ("proto/frame.c", "#include <pthread.h>", "only computes"),
        ("proto/frame.c", '#include "log.h"', "proto/ may not include log.h"),
        ("billingd/base/log.c", "#include <uv.h>", "may not include <uv.h>"),
        ("billingd/base/log.c", '#include "billingd/store/store.h"', "billingd/base/ may not"),
        ("billingd/base/log.c", '#include "billing.pb-c.h"', "may not include proto/billing.pb-c.h"),
        ("billingd/store/store.c", "#include <lmdb.h>", "billingd/store/ may not include <lmdb.h>"),
        ("billingd/store/store.c", "#include <libpq-fe.h>", "may not include <libpq-fe.h>"),
        ("billingd/store/lmdb/env.c", "#include <libpq-fe.h>", "may not include <libpq-fe.h>"),
        ("billingd/store/lmdb/env.c", '#include "billingd/ledger/bill.h"', "may not include"),
        ("billingd/ledger/bill.c", '#include "billingd/store/lmdb/env.h"', "may not include"),
        ("billingd/ledger/bill.c", "#include <time.h>", "only computes"),
        ("billingd/ledger/bill.c", "#include <sys/socket.h>", "only computes"),
        ("billingd/ledger/bill.c", "#include <json-c/json.h>", "may not include <json-c/json.h>"),
        ("billingd/commit/committer.c", "#include <uv.h>", "may not include <uv.h>"),
        ("billingd/commit/committer.c", '#include "billingd/rpc/request.h"', "may not include"),
        ("billingd/rpc/json.c", '#include "billingd/net/listener.h"', "may not include"),
        ("billingd/rpc/json.c", "  #  include  <uv.h>", "may not include <uv.h>"),
        ("billingd/net/listener.c", '#include "billingd/store/store.h"', "may not include"),
        ("billingd/net/listener.c", '#include "billingd/ledger/bill.h"', "may not include"),
        ("billingd/net/listener.c", '#include "proto/decimal.h"', "may not include"),
        ("billingd/net/listener.c", "#include <json-c/json.h>", "may not include <json-c/json.h>"),
        ("billingd/daemon.c", "#include <lmdb.h>", "may not include <lmdb.h>"),
        ("libbilling/src/client.c", '#include "billingd/base/log.h"', "libbilling/ may not"),
        ("libbilling/src/client.c", "#include <json-c/json.h>", "may not include <json-c/json.h>"),
        ("libbilling/include/billing/billing.h", '#include "proto/status.h"', "may not include"),
        ("billingctl/main.c", '#include "proto/frame.h"', "billingctl/ may not include"),
        ("billingctl/main.c", '#include "billingd/base/log.h"', "billingctl/ may not include"),
        ("billingd/new_room/x.c", "#include <stdio.h>", "is in no room"),
        ("billingd/base/log.c", "#include <zlib.h>", "is in no table"),
        ("billingd/report/report.c", "#include <curl/curl.h>", "may not include <curl/curl.h>"),
        ("tests/unit/test_bill.c", "#include <cmocka.h>", "belongs in tests/lib/testkit.h"),
    ],
    "banned": [
        ("billingctl/main.c", "void f(void) { sprintf(a, b); }", "sprintf has no safe use"),
        ("billingctl/main.c", "void f(void) { vsprintf (a, b); }", "vsprintf has no safe use"),
        ("billingctl/main.c", "int n = atoi(s);", "atoi has no safe use"),
        ("bench/load.c", "void f(void) { strcpy(a, b); }", "strcpy has no safe use"),
        ("bench/load.c", "void f(void) { strcat(a, b); }", "strcat has no safe use"),
        ("tests/unit/test_bill.c", "void f(void) { system(a); }", "system has no safe use"),
        ("libbilling/src/client.c", "char *f(void) { return strtok(a, b); }", "strtok has no safe"),
        ("libbilling/src/client.c", "char *f(void) { return alloca(8); }", "alloca has no safe"),
        ("libbilling/src/client.c", "char *f(void) { return gets(a); }", "gets has no safe use"),
        ("proto/frame.c", "double rate;", "double would bend money"),
        ("billingd/ledger/bill.c", "static float x;", "float would bend money"),
        ("billingd/store/store.c", "long x = (long)(double)y;", "double would bend money"),
        ("billingd/rpc/json.c", "int x = json_object_get_double(j);", "would bend money"),
        ("billingd/rpc/json.c", "int x = strtod(s, &e);", "strtod would bend money"),
        ("billingd/ledger/bill.c", "int x = a.whole;", "whole is the inside of a decimal"),
        ("billingd/ledger/bill.c", "int x = d->mantissa;", "mantissa is the inside"),
        ("tests/unit/test_bill.c", "int x = d -> fraction;", "fraction is the inside"),
        ("billingd/ledger/bill.c", "long f(void) { return time(NULL); }", "time is a clock"),
        ("billingd/ledger/bill.c", "long f(void) { return clock_wall_us(); }", "is a clock"),
        ("billingd/commit/op.c", 'void f(void) { fopen("/x", "a"); }', "is for measuring"),
        ("billingd/store/lmdb/txn.c", 'int x = getenv("X") != NULL;', "is for measuring"),
        ("tests/unit/test_bill.c", "void f(void) { usleep(1); }", "is no synchronisation"),
        ("billingctl/main.c", "int x; // why", "a comment of the other kind"),
        ("billingctl/main.c", "int x;\n" * 800, "more than 800 lines"),
        ("billingctl/other.h", "int x;", "no #pragma once"),
    ],
    "docs_words": [
        ("docs/notes.md", "built in /" + "work/main", "a path of one machine"),
        ("docs/notes.md", "see `/" + "root/.config`", "a path of one machine"),
        ("proto/frame.c", "/* as iss" + "ue #12 asks */", "that readers cannot look up"),
        ("README.md", "done in Iss" + "ue 3", "that readers cannot look up"),
        ("docs/notes.md", "<" * 7 + " HEAD", "half a merge"),
    ],
    "tests_listed": [
        ("tests/unit/test_new.c", "int x;", "unit/test_new.c:1: is in no list"),
        ("tests/integration/test_new.c", "int x;", "is in no list"),
        ("tests/CMakeLists.txt", "# billing_unit_test(bill)\nbilling_unit_test(gone)", "not there"),
        ("tests/fuzz/fuzz_new.c", "int x;", "is not in tests/fuzz/CMakeLists.txt"),
    ],
    "mutations_fit": [
        ("tests/mutations/new.mutation", "int x;", "is not a promise, tests, and pieces of code"),
        ("tests/mutations/new.mutation", mutation("int y;", "int z;"), "stands 0 times"),
        ("tests/mutations/new.mutation", mutation("int", "long"), "stands 3 times"),
        ("tests/mutations/new.mutation", mutation("int timer", "int  timer"), "changes nothing"),
        ("tests/mutations/new.mutation", mutation("", "int x;"), "changes nothing"),
        ("tests/mutations/new.mutation", mutation("int timer", "x", "unit.gone"), "none of its tests"),
        ("tests/mutations/new.mutation", mutation("a", "b", path="gone.c"), "gone.c cannot be read"),
        ("tests/mutations/bill.mutation", "--- billingd/net/listener.c\nuv", "without a +++"),
    ],
}


def build(root, files):
    for path, text in files.items():
        os.makedirs(os.path.dirname(f"{root}/{path}") or root, exist_ok=True)
        with open(f"{root}/{path}", "w", encoding="utf-8") as file:
            file.write(text)
    subprocess.run(["git", "init", "-q", root], check=True)


def lint(name, files):
    """The exit status of lint NAME over a project of FILES, and what it says."""
    with tempfile.TemporaryDirectory() as root:
        build(root, files)
        run = subprocess.run(
            [sys.executable, "-B", f"{HERE}/{name}.py", root],
            capture_output=True,
            text=True,
            check=False,
        )
        return run.returncode, run.stdout + run.stderr


class LintsBite(unittest.TestCase):
    def test_nothing_wrong(self):
        for name in WRONG:
            with self.subTest(name):
                self.assertEqual(lint(name, CLEAN), (0, ""))

    def test_each_wrong_is_found_alone(self):
        for name, wrongs in WRONG.items():
            for path, text, said in wrongs:
                with self.subTest(f"{name}: {path}: {text[:60]}"):
                    files = dict(CLEAN)
                    files[path] = files.get(path, "") + text + "\n"
                    status, output = lint(name, files)
                    self.assertEqual(status, 1, output)
                    self.assertIn(said, output)
                    self.assertIn(path, output)
                    self.assertEqual(output.count("\n"), 1, output)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
