#include "billingd/process_metrics.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "billingd/base/assert.h"
#include "billingd/base/clock.h"
#include "proto/status.h"

enum {
    FILE_BYTES = 4096,
    STARTED_FIELD = 22, /* of /proc/self/stat, counted from 1 */
    VIRTUAL_FIELD = 23,
    RESIDENT_FIELD = 24,
    FIRST_FIELD = 3, /* behind the name, which is in brackets and may hold anything */
};

/* The file at PATH, as much as fits, as text in TEXT of FILE_BYTES. */
static bool read_file(const char *path, char *text)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    ssize_t n = read(fd, text, FILE_BYTES - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* Field NUMBER of the text of /proc/self/stat. */
static bool stat_field(const char *text, unsigned number, uint64_t *ret)
{
    const char *at = strrchr(text, ')');
    for (unsigned i = FIRST_FIELD; at != NULL && i <= number; i++) {
        at = strchr(at + 1, ' ');
    }
    if (at == NULL) {
        return false;
    }
    *ret = strtoull(at + 1, NULL, 10);
    return true;
}

/* When the system started, by the wall clock as it was when first asked: what is told of the start
 * is not to move with the clock. */
static int64_t boot_time_us(void)
{
    static int64_t boot_us;
    struct timespec since_boot;
    if (boot_us == 0) {
        INVARIANT(clock_gettime(CLOCK_BOOTTIME, &since_boot) == 0);
        boot_us =
            clock_wall_us() - (int64_t)since_boot.tv_sec * 1000000 - since_boot.tv_nsec / 1000;
    }
    return boot_us;
}

static void write_start(struct metrics_text *text, const char *stat)
{
    uint64_t ticks;
    long ticks_per_second = sysconf(_SC_CLK_TCK);
    if (ticks_per_second > 0 && stat_field(stat, STARTED_FIELD, &ticks)) {
        uint64_t us = ticks * 1000000 / (uint64_t)ticks_per_second;
        metrics_family(text, "process_start_time_seconds", METRICS_GAUGE,
                       "When the process started, in seconds since 1970.");
        metrics_seconds(text, NULL, boot_time_us() + (int64_t)us);
    }
}

static void write_memory(struct metrics_text *text, const char *stat)
{
    uint64_t bytes;
    uint64_t pages;
    long page_bytes = sysconf(_SC_PAGESIZE);
    if (stat_field(stat, VIRTUAL_FIELD, &bytes)) {
        metrics_gauge(text, "process_virtual_memory_bytes",
                      "Address space, the store's map included.", bytes);
    }
    if (page_bytes > 0 && stat_field(stat, RESIDENT_FIELD, &pages)) {
        metrics_gauge(text, "process_resident_memory_bytes",
                      "Memory in use, pages of the store that are in it included.",
                      pages * (uint64_t)page_bytes);
    }
}

static void write_cpu(struct metrics_text *text)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        int64_t us = ((int64_t)usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
                     usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
        metrics_family(text, "process_cpu_seconds_total", METRICS_COUNTER,
                       "Processor time of user and system.");
        metrics_seconds(text, NULL, us);
    }
}

static void write_descriptors(struct metrics_text *text)
{
    DIR *directory = opendir("/proc/self/fd");
    struct rlimit limit;
    uint64_t n = 0;
    while (directory != NULL && readdir(directory) != NULL) {
        n++;
    }
    if (directory != NULL) {
        IGNORE(closedir(directory) != 0); /* it was only read */
        metrics_gauge(text, "process_open_fds", "Descriptors that are open.",
                      n > 3 ? n - 3 : 0); /* without ".", ".." and the directory's own */
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        metrics_gauge(text, "process_max_fds", "Descriptors that may be open.", limit.rlim_cur);
    }
}

void process_metrics_write(struct metrics_text *text)
{
    char stat[FILE_BYTES];
    if (read_file("/proc/self/stat", stat)) {
        write_start(text, stat);
        write_memory(text, stat);
    }
    write_cpu(text);
    write_descriptors(text);
}
