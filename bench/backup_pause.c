/* What a backup costs recording: how long it takes alone and while somebody records at full speed,
 * how fast that goes meanwhile, its longest pause, and by how much the store grows.
 *
 *   bench_backup_pause DIRECTORY [RECORDS]
 *
 * Makes a store of RECORDS (5,000,000) usage records below DIRECTORY, which must exist, through
 * store.h, and two backups of it.  All of it stays there. */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/clock.h"
#include "bench/fail.h"
#include "bench/files.h"
#include "bench/writer.h"

enum {
    RECORDS_DEFAULT = 5000000,
    CUSTOMERS = 10000,
    BATCH = 1000,
    QUIET_S = 10,
    SEED = 1,
};

struct backup {
    struct store *store;
    const char *directory;
    struct store_copied copied;
    int64_t took_ns;
    atomic_bool ended;
};

static void *back_up(void *arg)
{
    struct backup *backup = arg;
    struct errinfo reason = {""};
    const struct store_backup how = {.directory = backup->directory};
    int64_t begun_ns = clock_ns();
    if (store_backup(backup->store, &how, &backup->copied, &reason) != 0) {
        fail("%s", reason.message);
    }
    backup->took_ns = clock_ns() - begun_ns;
    atomic_store(&backup->ended, true);
    return NULL;
}

/* Record until END, or where that is NULL for a while; say how it went. */
static double record(struct load_writer *writer, const char *what, const atomic_bool *end)
{
    int64_t begun_ns = clock_ns();
    int64_t last_ns = begun_ns;
    int64_t longest_ns = 0;
    uint64_t records = 0;
    while (end != NULL ? !atomic_load(end) : last_ns - begun_ns < QUIET_S * NS_PER_SECOND) {
        IGNORE(writer_commit(writer, BATCH) > 0); /* the pauses are between them */
        int64_t now_ns = clock_ns();
        longest_ns = now_ns - last_ns > longest_ns ? now_ns - last_ns : longest_ns;
        last_ns = now_ns;
        records += BATCH;
    }
    double rate = (double)records * (double)NS_PER_SECOND / (double)(last_ns - begun_ns);
    printf("%s: %.0f records/s over %.1f s, longest pause %.0f ms\n", what, rate,
           (double)(last_ns - begun_ns) / (double)NS_PER_SECOND, (double)longest_ns / 1e6);
    return rate;
}

static void say_backup(const struct backup *backup, const char *what)
{
    printf("%s: %.1f s, of which %.1f s with a view; %" PRIu64 " MiB; the store grew by %" PRIu64
           " MiB meanwhile\n",
           what, (double)backup->took_ns / (double)NS_PER_SECOND,
           (double)backup->copied.held_us / 1e6, backup->copied.bytes >> 20,
           backup->copied.grown >> 20);
}

int main(int argc, char **argv)
{
    static struct load_writer writer;
    pthread_t thread;
    if (argc < 2) {
        fail("bench_backup_pause DIRECTORY [RECORDS]");
    }
    uint64_t records = argc > 2 ? strtoull(argv[2], NULL, 10) : RECORDS_DEFAULT;
    load_init(&writer.load, SEED, CUSTOMERS, false);
    writer_begin(&writer, writer_open_store("lmdb:", files_format("%s/store", argv[1])));
    for (uint64_t n = 0; n < records; n += BATCH) {
        IGNORE(writer_commit(&writer, BATCH) > 0); /* how long is of no interest */
    }
    struct backup alone = {writer.store, files_format("%s/alone", argv[1]), {0}, 0, false};
    IGNORE(back_up(&alone) != NULL);
    say_backup(&alone, "backup alone");
    double before = record(&writer, "recording alone", NULL);
    struct backup busy = {writer.store, files_format("%s/busy", argv[1]), {0}, 0, false};
    check(pthread_create(&thread, NULL, back_up, &busy) == 0, "pthread_create");
    double during = record(&writer, "recording beside a backup", &busy.ended);
    check(pthread_join(thread, NULL) == 0, "pthread_join");
    say_backup(&busy, "backup beside recording");
    double after = record(&writer, "recording alone again", NULL);
    printf("ratio: %.2f\n", 2 * during / (before + after));
    store_close(writer.store);
    return 0;
}
