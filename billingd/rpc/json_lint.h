/* The lint of a JSON text: RFC 8259 to the letter, where json-c behind it is lenient.
 *
 * json-c takes NaN, Infinity, `1.`, single quotes, control bytes in strings, overlong UTF-8 and
 * lone surrogates; lets the last of two members of the same name win; and turns an integer beyond
 * 64 bits into the largest that fits.  For money none of that will do.  It also spends some forty
 * bytes of heap for each byte of a hostile text, so what a text may hold is bounded here.
 *
 * Pure; any thread. */
#pragma once

#include "billingd/base/slice.h"
#include "proto/status.h"

enum {
    JSON_DEPTH_MAX = 16,
    JSON_MEMBERS_MAX = 64,         /* of one object */
    JSON_CONTAINERS_MAX = 20480,   /* objects and arrays: a batch of LIMIT_BATCH_ITEMS and labels */
    JSON_SCALARS_MAX = 256 * 1024, /* likewise */
};

struct json_lint {
    size_t position;      /* of what is wrong: a byte's index */
    const char *reason;   /* what is; static */
    size_t long_integers; /* that json-c would not keep; see json_lint_widen() */
};

/* Look at the whole of TEXT.  Returns 0; STATUS_MALFORMED_JSON; or STATUS_TOO_LARGE where a bound
 * above is passed.  *RET is filled in either case. */
MUSTCHECK int json_lint(struct slice text, struct json_lint *ret);

/* Write TEXT, which json_lint() let pass with LONG_INTEGERS of them, to OUT, with "e0" behind each
 * long integer: the same number, but json-c then keeps its digits.  OUT has room for TEXT and two
 * bytes for each; all of it is filled. */
void json_lint_widen(struct slice text, char *out);
