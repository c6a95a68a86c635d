#include "tests/fault/campaign.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/testkit.h"

/* One at a time: cmocka's tests have no argument but their state. */
static struct campaign *campaign_at_work;
static uint64_t seed_at_work;

struct bounds {
    uint64_t runs;
    uint64_t faults;
    uint64_t minutes;
    uint64_t seed;
    bool given;
};

static __attribute__((noreturn)) void usage(const char *program)
{
    fprintf(stderr, "usage: %s [--runs N] [--faults N] [--minutes N] [--seed S]\n", program);
    exit(2);
}

static struct bounds parse(int argc, char **argv)
{
    struct rng rng = rng_make("campaign");
    struct bounds bounds = {.seed = rng_below(&rng, UINT32_MAX) * 1000};
    struct {
        const char *name;
        uint64_t *value;
    } options[] = {{"--runs", &bounds.runs},
                   {"--faults", &bounds.faults},
                   {"--minutes", &bounds.minutes},
                   {"--seed", &bounds.seed}};
    for (int i = 1; i < argc; i += 2) {
        size_t at = 0;
        while (at < 4 && strcmp(argv[i], options[at].name) != 0) {
            at++;
        }
        char *end = NULL;
        if (at == 4 || i + 1 == argc ||
            (*options[at].value = strtoull(argv[i + 1], &end, 10), *end != '\0')) {
            usage(argv[0]);
        }
        bounds.given |= options[at].value != &bounds.seed;
    }
    bounds.runs = bounds.runs == 0 ? UINT64_MAX : bounds.runs;
    bounds.faults = bounds.faults == 0 ? UINT64_MAX : bounds.faults;
    return bounds;
}

static void end_early(int number)
{
    (void)number;
    atomic_store(&campaign_at_work->deadline_ms, INT64_MIN);
}

/* Calls go on behind the signal where they can; the others expect one. */
static void heed_signals(void)
{
    struct sigaction action = {.sa_handler = end_early, .sa_flags = SA_RESTART | (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGINT, &action, NULL) != 0 || sigaction(SIGTERM, &action, NULL) != 0) {
        abort();
    }
}

static void one_run(void **state)
{
    (void)state;
    campaign_at_work->run(campaign_at_work, seed_at_work);
}

void campaign_note(struct campaign *campaign, const char *format, ...)
{
    struct checker_result *result = &campaign->result;
    char *text;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0) {
        abort();
    }
    result->unsound++;
    if (result->n_texts < CHECKER_TEXTS_MAX) {
        result->texts[result->n_texts++] = memory_format(&result->memory, "%s", text);
    }
    free(text);
}

void campaign_check_refusals(struct campaign *campaign, struct request_log *log,
                             const char *const *expected)
{
    for (size_t i = 0; i < request_log_count(log); i++) {
        const struct logged_request *request = request_log_at(log, i);
        size_t at = 0;
        if (request->outcome != LOGGED_REFUSED) {
            continue;
        }
        while (expected[at] != NULL && strcmp(expected[at], request->code) != 0) {
            at++;
        }
        if (expected[at] == NULL) {
            campaign_note(campaign, "request %zu ('%s') was refused with %s", request->index,
                          request->request_id, request->code);
        }
    }
}

static void print(const struct campaign *campaign, uint64_t runs, int64_t ms, uint64_t seed)
{
    const struct checker_result *result = &campaign->result;
    printf("{\"part\":\"%s\",\"runs\":%" PRIu64 ",\"whole_runs\":%" PRIu64 ",\"faults\":%" PRIu64
           ",\"acknowledged\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"doubled\":%" PRIu64
           ",\"violations\":%" PRIu64 ",\"seconds\":%" PRId64 ",\"seed\":%" PRIu64 "}\n",
           campaign->part, runs, campaign->whole_runs, campaign->faults, result->acknowledged,
           result->lost, result->doubled, checker_violations(result), (ms + 999) / 1000, seed);
}

int campaign_main(int argc, char **argv, struct campaign *campaign)
{
    const struct CMUnitTest tests[] = {{campaign->part, one_run, NULL, NULL, NULL}};
    struct bounds bounds = parse(argc, argv);
    int64_t start_ms = testkit_now_ms();
    uint64_t runs = 0;
    int failed = 0;
    testkit_begin(1, argv);
    campaign->faults_left = bounds.given ? bounds.faults : campaign->test_faults;
    campaign->deadline_ms =
        bounds.minutes == 0 ? INT64_MAX : start_ms + (int64_t)bounds.minutes * 60000;
    campaign_at_work = campaign;
    heed_signals();
    do {
        seed_at_work = bounds.seed + runs++;
        uint64_t before = campaign->faults;
        campaign->cut_short = false;
        failed = cmocka_run_group_tests_name(campaign->part, tests, NULL, NULL);
        campaign->whole_runs += failed == 0 && !campaign->cut_short;
        uint64_t injected = campaign->faults - before;
        campaign->faults_left -=
            injected < campaign->faults_left ? injected : campaign->faults_left;
        if (failed != 0 && checker_violations(&campaign->result) == 0) {
            campaign_note(campaign, "the run failed"); /* what it found is above */
        }
        if (failed != 0 || checker_violations(&campaign->result) != 0) {
            checker_print(&campaign->result, "");
            fprintf(stderr, "run again with: %s --runs 1 --seed %" PRIu64 "\n", argv[0],
                    seed_at_work);
            failed = 1;
        }
    } while (failed == 0 && runs < bounds.runs && campaign->faults_left > 0 &&
             testkit_now_ms() < campaign->deadline_ms);
    print(campaign, runs, testkit_now_ms() - start_ms, bounds.seed);
    checker_result_done(&campaign->result);
    return testkit_end(failed);
}
