/* Killed with SIGKILL at random moments under load, also while it starts, and started again:
 * clients try again until they are answered, and then everything is there once. */
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "tests/fault/campaign.h"
#include "tests/fault/load.h"
#include "tests/lib/daemon.h"
#include "tests/lib/testkit.h"

enum {
    RUN_KILLS = 20,
    LIVE_MS = 160, /* that it lives at most */
    START_MS = 25, /* that it lives at most where it is killed while it starts */
    PATIENCE_MS = 60000,
};

struct run {
    struct campaign *campaign;
    struct rng rng;
    const char *data_dir;
    const char *store;
    const char *rpc;
    const char *url;
    const char *http;
    struct daemon_process *daemon;
    struct request_log *log;
    struct load *load;
};

/* Some hundreds of records fill a head, and few segments are merged. */
static const char *small_store(struct rng *rng)
{
    return testkit_format("lmdb:?head_records=%d&slice_bytes=%d&merge_width=%d",
                          (int)rng_between(rng, 20, 400), (int)rng_between(rng, 16368, 65536),
                          (int)rng_between(rng, 2, 4));
}

/* An address that no other process uses: HTTP keeps its port through all starts, and nobody else's
 * daemon may ever be there instead. */
static const char *own_http(void)
{
    unsigned pid = (unsigned)getpid();
    return testkit_format("127.%u.%u.%u:3001", 64 + (pid >> 16) % 128, pid >> 8 & 255,
                          (pid & 255) == 0 ? 255 : pid & 255);
}

static void start(struct run *run)
{
    const char *directory = testkit_tmpdir();
    const char *socket = testkit_format("%s/s", directory);
    run->data_dir = testkit_format("%s/data", directory);
    run->store = small_store(&run->rng);
    run->rpc = testkit_format("unix:%s", socket);
    run->url = testkit_format("unix://%s", socket);
    run->http = own_http();
    const char *const args[] = {"--data-dir", run->data_dir, "--store", run->store, "--listen",
                                run->rpc,     "--http",      run->http, NULL};
    const char **kept = testkit_alloc(sizeof args); /* for each start */
    memcpy(kept, args, sizeof args);
    struct daemon_options options = {.args = kept, .only_args = true};
    run->daemon = daemon_process_start(&options);
    run->log = request_log_create(NULL);
    struct load_options load_options = {.log = run->log,
                                        .seed = rng_next(&run->rng),
                                        .url = run->url,
                                        .rpc = run->rpc,
                                        .http = run->http};
    run->load = load_start(&load_options);
}

/* Let it live for a moment: when it is killed is the fault. */
static void kill_within(struct run *run, uint64_t bound_ms)
{
    IGNORE(poll(NULL, 0, (int)rng_below(&run->rng, bound_ms))); /* a signal only makes it shorter */
    daemon_process_kill(run->daemon);
    run->campaign->faults++;
}

static void kill_and_start(struct run *run)
{
    kill_within(run, LIVE_MS);
    while (rng_below(&run->rng, 4) == 0) {
        daemon_process_respawn(run->daemon);
        kill_within(run, START_MS);
    }
    daemon_process_restart(run->daemon);
    load_daemon_is_up(run->load);
}

static void judge(struct run *run)
{
    static const char *const refusals[] = {"already_finalized", "not_contiguous", NULL};
    struct checker_options options = {.seed = rng_next(&run->rng)};
    checker_run_at(run->log, run->store, run->data_dir, &options, &run->campaign->result);
    campaign_check_refusals(run->campaign, run->log, refusals);
}

static void kill_run(struct campaign *campaign, uint64_t seed)
{
    struct run run = {.campaign = campaign, .rng = {seed}};
    uint64_t faults = campaign->faults;
    uint64_t bound = campaign->faults_left < RUN_KILLS ? campaign->faults_left : RUN_KILLS;
    start(&run);
    while (campaign->faults - faults < bound) {
        kill_and_start(&run);
    }
    uint64_t unsettled = load_stop(run.load, PATIENCE_MS);
    if (unsettled > 0) {
        campaign_note(campaign, "%llu requests were never answered; the daemon's stderr:\n%s",
                      (unsigned long long)unsettled, daemon_process_stderr(run.daemon));
    }
    daemon_process_kill(run.daemon);
    daemon_process_destroy(run.daemon);
    judge(&run);
    request_log_destroy(run.log);
}

int main(int argc, char **argv)
{
    struct campaign campaign = {.part = "kill", .test_faults = 40, .run = kill_run};
    return campaign_main(argc, argv, &campaign);
}
