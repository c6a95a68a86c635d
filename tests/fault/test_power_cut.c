/* Power cuts: a run of the store is recorded, write by write and sync by sync; then it is opened
 * from what each of many cuts may have left, and judged by what had been answered until then.  See
 * campaign.h for the arguments; a fault is an image. */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fault/campaign.h"
#include "tests/fault/checker.h"
#include "tests/fault/clerk.h"
#include "tests/fault/image.h"

enum {
    STEPS = 25, /* of a sitting */
    TEST_IMAGES = 2500,
    TEST_EVENTS = 12, /* of so many, one has its images made: a test has no time for all */
    CAMPAIGN_EVENTS = 3,
    FIRST_EVENTS = 40, /* of a run: making the store, of which each has its images made */
    BILLS_EVERY = 8,   /* images: bills take long */
    REOPEN_EVERY = 8,
    PENDING_ALL_MAX = 4, /* so few may be lost and kept in each combination */
    RANDOM_FATES = 6,
};

static const char *const uris[] = {
    "lmdb:?head_records=8&merge_width=2&slice_bytes=16368&block_bytes=600",
    "lmdb:?head_records=20&merge_width=3&slice_bytes=16368",
    "lmdb:?head_records=3&merge_width=2&slice_bytes=32736&block_bytes=2000",
};

/* --- a run, recorded -------------------------------------------------------------------------- */

struct run {
    struct campaign *campaign;
    uint64_t seed;
    const char *uri;
    struct rng rng;
    struct clerk clerk;
    struct disk_recording recording;
    struct image image;
    const char *directory; /* of the images */
    uint64_t images;
};

static uint64_t tick_of(void *arg)
{
    return request_log_tick(arg);
}

static int try_open(const char *uri, const char *directory, struct store **ret,
                    struct errinfo *reason)
{
    struct store_options options = {
        .data_dir = directory,
        .map_bytes = 16 << 20,
        .readers_max = 4,
        .currency = "USD",
        .now_us = INT64_C(1763809298000000),
    };
    return store_open(uri, &options, ret, reason);
}

static struct store *open_store(const char *uri, const char *directory)
{
    struct errinfo reason;
    struct store *store;
    if (try_open(uri, directory, &store, &reason) < 0) {
        testkit_fail("%s", reason.message);
    }
    return store;
}

/* Three sittings, with a clean end to each. */
static void record(struct run *run)
{
    const char *directory = testkit_tmpdir();
    disk_record(directory, tick_of, run->clerk.log);
    for (int sitting = 0; sitting < 3; sitting++) {
        struct store *store = open_store(run->uri, directory);
        for (int i = 0; i < STEPS; i++) {
            assert_ok(clerk_step(&run->clerk, store, rng_below(&run->rng, 8) == 0 ? 20 : 3));
        }
        /* What is written through a map would not be in the recording. */
        assert_u64(disk_writable_maps("data.mdb"), 0);
        assert_u64(disk_writable_maps("lock.mdb"), 1); /* so it would have been seen */
        store_close(store);
    }
    run->recording = disk_record_end();
}

/* A commit counts by a write that a disk does whole or not at all, once all else is synced. */
static void check_commits(const struct disk_recording *recording)
{
    unsigned commits = 0;
    for (size_t i = 0; i < recording->n; i++) {
        const struct disk_event *event = &recording->events[i];
        if (event->durable) {
            uint64_t last = event->offset + event->bytes - 1;
            assert_u64(event->offset / DISK_SECTOR_BYTES, last / DISK_SECTOR_BYTES);
            assert_int_equal(recording->events[i - 1].change, DISK_SYNC);
            commits++;
        }
    }
    assert_true(commits > 3 * STEPS); /* the clerk's, and the sealer's */
}

/* --- an image --------------------------------------------------------------------------------- */

static char shown[1024]; /* the image at hand, for whoever dies over it */

static void show_image(const struct run *run)
{
    static const char letters[] = {
        [IMAGE_LOST] = '-', [IMAGE_KEPT] = 'k', [IMAGE_TORN] = 't', [IMAGE_HOLE] = 'h'};
    const struct image *image = &run->image;
    int length = snprintf(shown, sizeof shown, "seed %" PRIu64 ", event %zu, pending ", run->seed,
                          image->at);
    for (size_t i = 0; i < image->n_pending && length < (int)sizeof shown - 2; i++) {
        shown[length] = letters[image->fate[i]];
        if (image->certain[i]) {
            shown[length] = 'K';
        }
        length++;
    }
    shown[length++] = '\n';
    shown[length] = '\0';
}

static void (*bus_error)(int number); /* what cmocka does about one */

/* A page that the file does not have: cmocka would not say of which image. */
static void show_and_die(int number)
{
    IGNORE(write(STDERR_FILENO, shown, strlen(shown)) < 0); /* nothing is left to do about it */
    bus_error(number);
}

static void complain(struct run *run, const char *what)
{
    campaign_note(run->campaign, "%s: %s", what, shown);
}

/* Compare with what was known at TICK.  Of what was not, SETTLED (-1: any number) are there. */
static bool judge(struct run *run, struct store *store, uint64_t tick, int64_t settled)
{
    struct checker_result *result = &run->campaign->result;
    struct checker_options options = {
        .known_until = tick,
        .seed = run->seed,
        .windows = 1,
        .bills_skipped = run->images % BILLS_EVERY != 0,
        .services_ignored = true,
    };
    uint64_t violations = checker_violations(result);
    uint64_t found = result->found;
    checker_run(run->clerk.log, store, &options, result);
    bool right = checker_violations(result) == violations &&
                 (settled < 0 || result->found - found == (uint64_t)settled);
    if (!right) {
        complain(run, settled < 0 ? "after the cut" : "after the retry");
    }
    return right;
}

/* Whoever got no answer asks again, and gets one. */
static int64_t send_again(struct run *run, struct store *store, uint64_t tick)
{
    unsigned recorded;
    uint64_t broken = run->clerk.broken;
    int rc = clerk_send_unknown(&run->clerk, store, tick, &recorded);
    if (rc < 0 || run->clerk.broken != broken) {
        complain(run, rc < 0 ? status_info(rc)->name : "refused, having not been");
    }
    return recorded;
}

static void open_image(struct run *run, uint64_t tick)
{
    struct errinfo reason;
    struct store *store;
    run->images++;
    show_image(run);
    image_write(&run->image, &run->rng, run->directory);
    if (try_open(run->uri, run->directory, &store, &reason) < 0) {
        complain(run, reason.message);
        return;
    }
    if (judge(run, store, tick, -1)) {
        int64_t settled = send_again(run, store, tick);
        if (run->images % REOPEN_EVERY == 0) {
            store_close(store);
            store = open_store(run->uri, run->directory);
        }
        judge(run, store, tick, settled);
    }
    store_close(store);
}

/* --- what is made of each cut ----------------------------------------------------------------- */

static void set_all(struct image *image, enum image_fate fate)
{
    for (size_t i = 0; i < image->n_pending; i++) {
        image->fate[i] = fate;
    }
}

/* Each combination of lost and kept. */
static void open_all(struct run *run, uint64_t tick)
{
    struct image *image = &run->image;
    for (unsigned mask = 0; mask < 1U << image->n_pending; mask++) {
        for (size_t i = 0; i < image->n_pending; i++) {
            image->fate[i] = (mask >> i & 1) != 0 ? IMAGE_KEPT : IMAGE_LOST;
        }
        open_image(run, tick);
    }
}

/* None, all, each alone, all but one, and all up to one. */
static void open_some(struct run *run, uint64_t tick)
{
    struct image *image = &run->image;
    set_all(image, IMAGE_LOST);
    open_image(run, tick);
    set_all(image, IMAGE_KEPT);
    open_image(run, tick);
    for (size_t i = 0; i < image->n_pending; i++) {
        set_all(image, IMAGE_LOST);
        image->fate[i] = IMAGE_KEPT;
        open_image(run, tick);
        set_all(image, IMAGE_KEPT);
        image->fate[i] = IMAGE_LOST;
        open_image(run, tick);
    }
    set_all(image, IMAGE_LOST);
    for (size_t i = 0; i + 1 < image->n_pending; i++) {
        image->fate[i] = IMAGE_KEPT;
        open_image(run, tick);
    }
}

static void open_torn(struct run *run, uint64_t tick)
{
    struct image *image = &run->image;
    static const enum image_fate others[] = {IMAGE_LOST, IMAGE_KEPT};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        set_all(image, others[i]);
        image->fate[image->n_pending - 1] = IMAGE_TORN;
        open_image(run, tick);
    }
    set_all(image, IMAGE_TORN);
    open_image(run, tick);
    set_all(image, IMAGE_HOLE);
    open_image(run, tick);
    for (int n = 0; n < RANDOM_FATES; n++) {
        for (size_t i = 0; i < image->n_pending; i++) {
            image->fate[i] = (enum image_fate)rng_below(&run->rng, IMAGE__FATES);
        }
        open_image(run, tick);
    }
}

/* The power goes while event AT is under way. */
static void cut(struct run *run, uint64_t tick)
{
    struct image *image = &run->image;
    if (image->n_pending <= PENDING_ALL_MAX) {
        open_all(run, tick);
    } else {
        open_some(run, tick);
    }
    if (image->n_pending > 0) {
        open_torn(run, tick);
    }
}

static bool wants_more(const struct run *run)
{
    const struct campaign *campaign = run->campaign;
    return run->images < campaign->faults_left && testkit_now_ms() < campaign->deadline_ms;
}

static void cut_anywhere(struct run *run)
{
    struct image *image = &run->image;
    unsigned one_in = run->campaign->faults_left <= TEST_IMAGES ? TEST_EVENTS : CAMPAIGN_EVENTS;
    image_begin(image, &run->recording);
    while (wants_more(run) && image_step(image)) {
        const struct disk_event *event = &run->recording.events[image->at - 1];
        bool changes = event->change != DISK_SYNC && event->change != DISK_SYNC_NAMES;
        if (changes && (image->at < FIRST_EVENTS || rng_below(&run->rng, one_in) == 0)) {
            cut(run, event->tick);
        }
    }
    run->campaign->cut_short = !wants_more(run);
    if (!run->campaign->cut_short) {
        cut(run, request_log_tick(run->clerk.log));
    }
    image_done(image);
}

/* What was acknowledged counts once, not in each image. */
static void count(struct run *run, const struct checker_result *before)
{
    struct checker_result *result = &run->campaign->result;
    result->acknowledged = before->acknowledged;
    for (size_t i = 0; i < request_log_count(run->clerk.log); i++) {
        result->acknowledged += request_log_at(run->clerk.log, i)->outcome == LOGGED_ACKNOWLEDGED;
    }
    run->campaign->faults += run->images;
}

static void cut_a_run(struct campaign *campaign, uint64_t seed)
{
    struct run *run = calloc(1, sizeof *run);
    assert_non_null(run);
    *run = (struct run){
        .campaign = campaign,
        .seed = seed,
        .uri = uris[seed % (sizeof uris / sizeof *uris)],
        .rng = {seed},
        .directory = testkit_tmpdir(),
    };
    struct checker_result before = campaign->result;
    clerk_init(&run->clerk, seed);
    record(run);
    check_commits(&run->recording);
    disk_hurry(0);
    bus_error = signal(SIGBUS, show_and_die);
    cut_anywhere(run);
    disk_hurry(-1);
    count(run, &before);
    disk_recording_free(&run->recording);
    clerk_done(&run->clerk);
    free(run);
}

int main(int argc, char **argv)
{
    struct campaign campaign = {.part = "power", .test_faults = TEST_IMAGES, .run = cut_a_run};
    disk_use_memory();
    return campaign_main(argc, argv, &campaign);
}
