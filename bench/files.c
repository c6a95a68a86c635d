#include "bench/files.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bench/fail.h"

enum {
    SCRATCH_MAX = 8,
    WALK_FILES = 16, /* open at once */
    CLEAN_TRIES = 50,
    CLEAN_AGAIN_NS = 100 * 1000 * 1000,
    STAT_BLOCK_BYTES = 512, /* of st_blocks */
};

static const char *scratch[SCRATCH_MAX];
static unsigned n_scratch;

/* One of the texts that are kept: all hang together, so that none is lost. */
struct text {
    struct text *next;
    char text[];
};

static struct text *texts;

const char *files_format(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int bytes = vsnprintf(NULL, 0, format, args);
    va_end(args);
    check(bytes >= 0, format);
    struct text *kept = malloc(sizeof *kept + (size_t)bytes + 1);
    check(kept != NULL, "memory");
    va_start(args, format);
    check(vsnprintf(kept->text, (size_t)bytes + 1, format, args) == bytes, format);
    va_end(args);
    kept->next = texts;
    texts = kept;
    return kept->text;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

static bool remove_all(const char *directory)
{
    return nftw(directory, remove_one, WALK_FILES, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT;
}

static void remove_scratch(void)
{
    for (unsigned i = 0; i < n_scratch; i++) {
        if (!remove_all(scratch[i])) {
            perror(scratch[i]);
        }
    }
}

/* Wait until all other ends of LIFE are closed, which is when the process that has them is gone,
 * and remove DIRECTORY.  What that process has started dies at about the same time, and may write
 * once more. */
__attribute__((noreturn)) static void clean_behind(const char *directory, int life)
{
    struct timespec pause = {.tv_nsec = CLEAN_AGAIN_NS};
    char byte;
    while (read(life, &byte, sizeof byte) < 0 && errno == EINTR) {
    }
    for (unsigned i = 0; i < CLEAN_TRIES && !remove_all(directory); i++) {
        IGNORE(nanosleep(&pause, NULL) != 0); /* then it is tried sooner */
    }
    _exit(0);
}

/* Have DIRECTORY removed however this process ends: gigabytes are not to stay behind a ^C.  The
 * process that does it is no longer of our group, so that ^C does not end it too. */
static void watch(const char *directory)
{
    int life[2];
    check(pipe2(life, O_CLOEXEC) == 0, "pipe");
    pid_t pid = fork();
    check(pid >= 0, "fork");
    if (pid == 0) {
        check(setsid() >= 0 && close(life[1]) == 0, "setsid");
        clean_behind(directory, life[0]);
    }
    check(close(life[0]) == 0, "close");
}

const char *files_scratch(const char *parent, bool keep)
{
    char template[PATH_MAX];
    int bytes = snprintf(template, sizeof template, "%s/billing-bench-XXXXXX", parent);
    check(bytes > 0 && bytes < (int)sizeof template, parent);
    check(mkdir(parent, 0700) == 0 || errno == EEXIST, parent);
    check(mkdtemp(template) != NULL, template);
    const char *directory = files_format("%s", template);
    if (keep) {
        IGNORE(fprintf(stderr, "kept: %s\n", directory) < 0); /* nowhere else to say it */
        return directory;
    }
    if (n_scratch == SCRATCH_MAX) {
        fail("more than %d temporary directories", SCRATCH_MAX);
    }
    if (n_scratch == 0) {
        check(atexit(remove_scratch) == 0, "atexit");
    }
    scratch[n_scratch++] = directory;
    watch(directory);
    return directory;
}

const char *files_own_directory(void)
{
    static char path[PATH_MAX];
    ssize_t bytes = readlink("/proc/self/exe", path, sizeof path - 1);
    check(bytes > 0, "/proc/self/exe");
    path[bytes] = '\0';
    char *slash = strrchr(path, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
    return path;
}

static uint64_t walked_bytes;

static int add_bytes(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)path;
    (void)where;
    if (kind == FTW_F) {
        walked_bytes += (uint64_t)status->st_blocks * STAT_BLOCK_BYTES;
    }
    return 0;
}

uint64_t files_bytes(const char *directory)
{
    walked_bytes = 0;
    check(nftw(directory, add_bytes, WALK_FILES, FTW_PHYS) == 0, directory);
    return walked_bytes;
}

uint64_t files_rss_anon(int pid)
{
    char line[256];
    uint64_t kib = 0;
    FILE *file = fopen(files_format("/proc/%d/status", pid), "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "RssAnon:", 8) == 0) {
            kib = strtoull(line + 8, NULL, 10);
        }
    }
    if (file != NULL) {
        IGNORE(fclose(file) != 0); /* it was only read */
    }
    return kib * 1024;
}
