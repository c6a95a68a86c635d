/* Requests as an attacker, a broken proxy or an odd but lawful client may send them, and what has
 * to become of each.  The parser's unit test runs them whole, byte by byte and at random cuts; the
 * integration test sends them to a daemon. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct http_case {
    const char *name;
    const char *bytes; /* a NUL behind them is not part of the request */
    size_t length;
    const char *fill; /* text that stands, `times` over, where bytes have "@@"; NULL: none */
    size_t times;
    int want;       /* 0: taken; STATUS_NEED_MORE: waited for; else refused with this STATUS_* */
    unsigned taken; /* requests taken before that end; where want is 0, all */
    size_t body;    /* bytes of the last one's body */
    char *owned;    /* the bytes, once filled out */
};

/* The corpus, filled out; *RET_N cases.  Free it with http_corpus_free(). */
struct http_case *http_corpus_load(size_t *ret_n);

void http_corpus_free(struct http_case *cases, size_t n);
