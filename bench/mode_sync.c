/* What the disk asks of anybody who syncs. */
#include <fcntl.h>
#include <unistd.h>

#include "bench/bare.h"
#include "bench/clock.h"
#include "bench/fail.h"
#include "bench/files.h"
#include "bench/options.h"
#include "proto/status.h"

enum {
    PAGE_BYTES = 4096,
};

/* Sync each page of a file in DIRECTORY, which has all of them already, so that the file system has
 * nothing of its own to write. */
static void sync_pages(const char *directory, uint64_t samples, struct latency *latency)
{
    static const uint8_t page[PAGE_BYTES];
    int fd = open(files_format("%s/pages", directory), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    check(fd >= 0, directory);
    for (uint64_t i = 0; i < samples; i++) {
        check(write(fd, page, sizeof page) == (ssize_t)sizeof page, "write");
    }
    check(fsync(fd) == 0, "fsync");
    for (uint64_t i = 0; i < samples; i++) {
        off_t at = (off_t)i * PAGE_BYTES;
        int64_t start_ns = clock_ns();
        check(pwrite(fd, page, sizeof page, at) == (ssize_t)sizeof page, "pwrite");
        check(fdatasync(fd) == 0, "fdatasync");
        latency_add(latency, clock_ns() - start_ns);
    }
    check(close(fd) == 0, "close");
}

void mode_sync(const struct bench_options *options, struct report *report)
{
    static struct latency page;
    static struct latency commit;
    struct bare bare;
    const char *directory = files_scratch(options->dir, options->keep);
    sync_pages(directory, options->samples, &page);
    bare_open(&bare, directory, 0);
    for (uint64_t i = 0; i < options->samples; i++) {
        latency_add(&commit, bare_commit_one(&bare));
    }
    bare_close(&bare);
    report_count(report, "samples", options->samples);
    report_latency(report, "fdatasync_4k", &page);
    report_latency(report, "lmdb_commit", &commit);
}
