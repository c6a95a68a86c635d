/* The main() of a program that injects faults: the same runs short as a test, and long as a
 * campaign.
 *
 *   program [--runs N] [--faults N] [--minutes N] [--seed S]
 *
 * Without a bound it is the test.  Each run has a seed of its own, from S on; the last line on
 * stdout is one of JSON:
 *
 *   {"part":"kill","runs":3,"whole_runs":3,"faults":60,"acknowledged":12000,"lost":0,
 *    "doubled":0,"violations":0,"seconds":21,"seed":1}
 *
 * Whole runs are those that no bound has cut short.  SIGINT and SIGTERM end it early, as if its
 * time were up; the second one at once.  Ends with 0 only without violations.  Main thread. */
#pragma once

#include "tests/fault/checker.h"

struct campaign {
    const char *part;
    uint64_t test_faults; /* after so many, no more runs begin where nothing else is said */
    void (*run)(struct campaign *campaign, uint64_t seed);
    /* --- for a run --- */
    uint64_t faults_left;        /* that may still be injected */
    _Atomic int64_t deadline_ms; /* of testkit_now_ms(): long runs end there; INT64_MAX: none */
    bool cut_short;              /* set by the run where a bound has left out some of its faults */
    /* --- what runs add up --- */
    uint64_t faults;
    uint64_t whole_runs;
    struct checker_result result;
};

int campaign_main(int argc, char **argv, struct campaign *campaign);

/* Note a violation that the checker cannot know of, in printf()'s manner. */
__attribute__((format(printf, 2, 3))) void campaign_note(struct campaign *campaign,
                                                         const char *format, ...);

/* Note each request in LOG that was refused with another code than the NULL-ended EXPECTED. */
void campaign_check_refusals(struct campaign *campaign, struct request_log *log,
                             const char *const *expected);
