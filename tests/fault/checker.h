/* The judge of every fault: what clients know (the log) against what is there (the store, opened
 * again).
 *
 *   - every acknowledged record is there once, with its payload and under the id of its answer
 *   - every one of unknown outcome is there at most once
 *   - nothing refused is there, and nothing that nobody asked for
 *   - request ids, lists, voids and customers lead to what is there, and to all of it
 *   - each customer's bills and invoices are what a plain model makes of the same records
 *   - the store finds nothing wrong with itself
 *
 * It fails no test: it counts, and says each violation in words.  Main thread, while nobody uses
 * the log or writes to the store. */
#pragma once

#include "billingd/store/store.h"
#include "tests/fault/request_log.h"
#include "tests/model/memory.h"

struct checker_options {
    uint64_t known_until;  /* the tick of the log up to which it counts; 0: all of it */
    uint64_t seed;         /* of the windows whose bills are compared */
    unsigned windows;      /* of each customer, beyond those that are always compared */
    bool bills_skipped;    /* compare no bills and no invoices: where there is no time for it */
    bool garbled;          /* bytes were changed on the way to the daemon, so that it was asked for
                              things that nobody asked for: only what was acknowledged counts, and
                              bills are what they are */
    bool services_ignored; /* the catalogue changes too, for which no request id stands */
};

enum {
    CHECKER_TEXTS_MAX = 50, /* violations beyond are counted, not told */
};

struct checker_result {
    /* --- what there was --- */
    uint64_t acknowledged;
    uint64_t refused;
    uint64_t unknown; /* of unknown outcome */
    uint64_t found;   /* so many of those are there */
    uint64_t bills;   /* that were compared */
    /* --- violations --- */
    uint64_t lost;    /* acknowledged, and not there */
    uint64_t doubled; /* there more than once */
    uint64_t foreign; /* there, and asked for by nobody, or refused */
    uint64_t wrong_payload;
    uint64_t wrong_answer; /* two answers that differ, or one from what is there */
    uint64_t wrong_bill;   /* bills and invoices */
    uint64_t unsound;      /* findings in the store itself, or that it does not open */
    /* --- in words --- */
    const char *texts[CHECKER_TEXTS_MAX];
    size_t n_texts;
    struct memory memory; /* of the texts */
};

/* How many violations there are. */
uint64_t checker_violations(const struct checker_result *result);

/* Compare LOG with STORE.  RESULT begins as zeros, or as the result of another comparison, to which
 * this one is added; checker_result_done() it.  OPTIONS may be NULL: all defaults. */
void checker_run(struct request_log *log, struct store *store,
                 const struct checker_options *options, struct checker_result *result);

/* The same with the store at URI in DATA_DIR, opened, so recovered, and closed for it. */
void checker_run_at(struct request_log *log, const char *uri, const char *data_dir,
                    const struct checker_options *options, struct checker_result *result);

/* Print what RESULT has in words, each line with PREFIX before it, on stderr. */
void checker_print(const struct checker_result *result, const char *prefix);

void checker_result_done(struct checker_result *result);
