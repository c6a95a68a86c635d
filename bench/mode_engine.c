/* The store alone, as the committer thread uses it: announce, look up, append, commit.
 *
 * A child does the writing, and ends without closing the store, as by a crash; then the store is
 * opened again here. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bare.h"
#include "bench/clock.h"
#include "bench/fail.h"
#include "bench/files.h"
#include "bench/options.h"
#include "bench/pace.h"
#include "bench/writer.h"

/* What the child leaves to its parent. */
struct outcome {
    struct pace pace;
    struct latency commits;
    struct latency bare;
    uint64_t rss_anon; /* after the last commit */
    int64_t cpu_ns;
};

struct engine {
    const struct bench_options *options;
    struct load_writer writer;
    struct bare bare; /* where asked for */
};

/* For whoever waits. */
static void say_rate(const struct pace *pace)
{
    IGNORE(fprintf(stderr, "%" PRIu64 " records: %.0f/s\n", pace->records,
                   pace->rates[pace->windows - 1]) < 0); /* nowhere else to say it */
}

static void write_records(struct engine *engine, struct outcome *outcome)
{
    const struct bench_options *options = engine->options;
    struct pace *pace = &outcome->pace;
    unsigned windows = 0;
    pace_start(pace, options->window, clock_ns());
    while (pace->records < options->records) {
        uint64_t left = options->records - pace->records;
        uint64_t batch = left < options->batch ? left : options->batch;
        if (options->bare) {
            latency_add(&outcome->bare, bare_commit_one(&engine->bare));
        }
        latency_add(&outcome->commits, writer_commit(&engine->writer, batch));
        pace_add(pace, batch, clock_ns());
        if (!options->json && pace->windows > windows) {
            say_rate(pace);
            windows = pace->windows;
        }
    }
}

/* In the child: all of the writing.  It ends here, with the store open. */
__attribute__((noreturn)) static void run_child(const struct bench_options *options,
                                                const char *directory, const char *bare_directory,
                                                struct outcome *outcome)
{
    static struct engine engine;
    engine.options = options;
    load_init(&engine.writer.load, options->seed, options->customers, options_ordered(options));
    if (options->bare) {
        bare_open(&engine.bare, bare_directory, 0);
    }
    writer_begin(&engine.writer, writer_open_store(options->store, directory));
    write_records(&engine, outcome);
    outcome->rss_anon = files_rss_anon(getpid());
    outcome->cpu_ns = clock_own_cpu_ns();
    _exit(0);
}

static void write_and_crash(const struct bench_options *options, const char *directory,
                            struct outcome *outcome)
{
    int status;
    const char *bare_directory = options->bare ? files_scratch(options->dir, options->keep) : NULL;
    pid_t parent = getpid();
    pid_t pid = fork();
    check(pid >= 0, "fork");
    if (pid == 0) {
        check(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent, "prctl");
        run_child(options, directory, bare_directory, outcome);
    }
    check(waitpid(pid, &status, 0) == pid, "waitpid");
    if (WIFSIGNALED(status)) {
        fail("the process that writes was ended by signal %d", WTERMSIG(status));
    }
    if (status != 0) {
        exit(WEXITSTATUS(status)); /* it has said why */
    }
}

static void report_bare(struct report *report, const struct outcome *outcome)
{
    report_latency(report, "bare", &outcome->bare);
    report_number(report, "p50_to_bare",
                  (double)latency_quantile_ns(&outcome->commits, 500) /
                      (double)latency_quantile_ns(&outcome->bare, 500),
                  2);
}

void mode_engine(const struct bench_options *options, struct report *report)
{
    const char *directory =
        options->data_dir != NULL
            ? options->data_dir
            : files_format("%s/store", files_scratch(options->dir, options->keep));
    struct outcome *outcome =
        mmap(NULL, sizeof *outcome, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(outcome != MAP_FAILED, "mmap");
    write_and_crash(options, directory, outcome);
    int64_t start_ns = clock_ns();
    struct store *store = writer_open_store(options->store, directory);
    int64_t open_ns = clock_ns() - start_ns;
    store_close(store);
    report_text(report, "store", options->store);
    report_count(report, "batch", options->batch);
    report_count(report, "customers", options->customers);
    report_text(report, "ids", options->ids);
    report_seed(report, options->seed);
    pace_report(&outcome->pace, report);
    report_latency(report, "commit", &outcome->commits);
    if (options->bare) {
        report_bare(report, outcome);
    }
    report_number(report, "bytes_per_record",
                  (double)files_bytes(directory) / (double)options->records, 1);
    report_number(report, "rss_anon_mib", (double)outcome->rss_anon / 1048576.0, 1);
    report_number(report, "cpu_seconds", (double)outcome->cpu_ns / (double)NS_PER_SECOND, 2);
    report_number(report, "reopen_ms", (double)open_ns / 1e6, 2);
    check(munmap(outcome, sizeof *outcome) == 0, "munmap");
}
