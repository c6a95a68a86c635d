#include "tests/lib/testkit.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* --- what lives until the end ----------------------------------------------------------------- */

struct block {
    struct block *next;
    max_align_t data[];
};

static pthread_mutex_t blocks_lock = PTHREAD_MUTEX_INITIALIZER; /* guards blocks */
static struct block *blocks;

void *testkit_alloc(size_t bytes)
{
    struct block *block = calloc(1, sizeof *block + bytes);
    if (block == NULL) {
        abort();
    }
    pthread_mutex_lock(&blocks_lock);
    block->next = blocks;
    blocks = block;
    pthread_mutex_unlock(&blocks_lock);
    return block->data;
}

const char *testkit_format(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0) {
        abort();
    }
    char *text = testkit_alloc((size_t)length + 1);
    va_start(args, format);
    IGNORE(vsnprintf(text, (size_t)length + 1, format, args) < 0); /* it was measured above */
    va_end(args);
    return text;
}

static void free_blocks(void)
{
    while (blocks != NULL) {
        struct block *next = blocks->next;
        free(blocks);
        blocks = next;
    }
}

/* --- the temporary directory ------------------------------------------------------------------ */

static const char *tmp_root; /* one a program, with one a testkit_tmpdir() in it */
static pid_t tmp_owner;      /* a forked child must not remove it */

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info;
    (void)type;
    (void)place;
    return remove(path);
}

static void remove_tmp_root(void)
{
    if (tmp_root == NULL || tmp_owner != getpid()) {
        return;
    }
    if (getenv("BILLING_TEST_KEEP") != NULL) {
        IGNORE(fprintf(stderr, "kept: %s\n", tmp_root) < 0); /* nowhere else to say it */
    } else if (nftw(tmp_root, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0) {
        IGNORE(fprintf(stderr, "cannot remove %s: %s\n", tmp_root, strerror(errno)) < 0);
    }
    tmp_root = NULL;
}

static const char *make_dir_in(const char *parent, const char *prefix)
{
    const char *name = testkit_format("%s/%sXXXXXX", parent, prefix);
    char *path = testkit_alloc(strlen(name) + 1);
    memcpy(path, name, strlen(name) + 1);
    if (mkdtemp(path) == NULL) {
        testkit_fail("cannot make a directory in %s: %s", parent, strerror(errno));
    }
    return path;
}

const char *testkit_tmpdir(void)
{
    if (tmp_root == NULL) {
        const char *parent = getenv("TMPDIR");
        tmp_root =
            make_dir_in(parent == NULL || *parent == '\0' ? "/tmp" : parent, "billing-test-");
        tmp_owner = getpid();
    }
    return make_dir_in(tmp_root, "");
}

/* --- begin and end ---------------------------------------------------------------------------- */

static uint64_t seed;
static bool seeded;

/* Also when a test program ends by exit() in the middle; last of all, as the names are blocks. */
static void clean_up(void)
{
    remove_tmp_root();
    free_blocks();
}

static void print_seed(void)
{
    print_message("seed: BILLING_TEST_SEED=%" PRIu64 "\n", seed);
}

/* What whoever runs the tests has set is nothing to them, nor to the programs that they run. */
static void forget_surroundings(void)
{
    static const char *const names[] = {"ALL_PROXY",
                                        "BILLING_FAILPOINT",
                                        "BILLING_TIMEOUT",
                                        "BILLING_TOKEN",
                                        "BILLING_TOKEN_FILE",
                                        "BILLING_URL",
                                        "CREDENTIALS_DIRECTORY",
                                        "JOURNAL_STREAM",
                                        "LISTEN_FDNAMES",
                                        "LISTEN_FDS",
                                        "LISTEN_PID",
                                        "NOTIFY_SOCKET",
                                        "RUNTIME_DIRECTORY",
                                        "STATE_DIRECTORY",
                                        "TRACEPARENT",
                                        "WATCHDOG_PID",
                                        "WATCHDOG_USEC",
                                        "XDG_CONFIG_HOME",
                                        "XDG_RUNTIME_DIR",
                                        "XDG_STATE_HOME",
                                        "all_proxy",
                                        "http_proxy"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (unsetenv(names[i]) != 0) {
            abort();
        }
    }
    umask(0022);
}

void testkit_begin(int argc, char **argv)
{
    forget_surroundings();
    if (setvbuf(stdout, NULL, _IOLBF, 0) != 0 || atexit(clean_up) != 0) {
        abort();
    }
    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
}

int testkit_end(int failed)
{
    if (failed != 0 && seeded) {
        print_seed();
    }
    return failed != 0 ? 1 : 0;
}

/* --- random numbers --------------------------------------------------------------------------- */

/* Spread the bits of X: a multiply-and-shift finaliser. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

struct rng rng_make(const char *name)
{
    if (!seeded) {
        const char *given = getenv("BILLING_TEST_SEED");
        seed = given != NULL ? strtoull(given, NULL, 10)
                             : mix((uint64_t)time(NULL) ^ (uint64_t)getpid() << 32) >> 32;
        seeded = true;
        print_seed();
    }
    struct rng rng = {.state = mix(seed)};
    for (; *name != '\0'; name++) {
        rng.state = mix(rng.state + (unsigned char)*name);
    }
    return rng;
}

uint64_t rng_next(struct rng *rng)
{
    rng->state += UINT64_C(0x9e3779b97f4a7c15); /* odd: every state is visited */
    return mix(rng->state);
}

uint64_t rng_below(struct rng *rng, uint64_t bound)
{
    return rng_next(rng) % bound; /* the bias is nothing to a test */
}

int64_t rng_between(struct rng *rng, int64_t low, int64_t high)
{
    uint64_t width = (uint64_t)high - (uint64_t)low;
    uint64_t offset = width == UINT64_MAX ? rng_next(rng) : rng_below(rng, width + 1);
    return (int64_t)((uint64_t)low + offset);
}

void rng_fill(struct rng *rng, void *data, size_t bytes)
{
    uint8_t *at = data;
    for (size_t i = 0; i < bytes; i++) {
        at[i] = (uint8_t)rng_next(rng);
    }
}

/* --- files and programs ----------------------------------------------------------------------- */

/* All that FILE still has, a NUL behind it; NULL where memory or the disk fails. */
static char *read_all(FILE *file, size_t *ret_bytes)
{
    char *data = NULL;
    size_t length = 0;
    size_t got;
    do {
        char *more = realloc(data, length + 65536 + 1);
        if (more == NULL) {
            free(data);
            return NULL;
        }
        data = more;
        got = fread(data + length, 1, 65536, file);
        length += got;
    } while (got > 0);
    if (ferror(file) != 0) {
        free(data);
        return NULL;
    }
    data[length] = '\0';
    *ret_bytes = length;
    return data;
}

char *testkit_read_file(const char *path, size_t *ret_bytes)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        testkit_fail("cannot open %s: %s", path, strerror(errno));
    }
    size_t bytes = 0;
    char *data = read_all(file, &bytes);
    IGNORE(fclose(file) != 0); /* read only */
    if (data == NULL) {
        testkit_fail("cannot read %s", path);
    }
    if (ret_bytes != NULL) {
        *ret_bytes = bytes;
    }
    return data;
}

void testkit_write_file(const char *path, const void *data, size_t bytes)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        testkit_fail("cannot make %s: %s", path, strerror(errno));
    }
    size_t written = bytes == 0 ? 0 : fwrite(data, 1, bytes, file);
    if (fclose(file) != 0 || written != bytes) {
        testkit_fail("cannot write %s", path);
    }
}

const char *testkit_source_dir(void)
{
    return BILLING_SOURCE_DIR;
}

const char *testkit_shared_data(const char *name)
{
    const char *path = testkit_format("%s/../shared/data/%s", testkit_source_dir(), name);
    if (access(path, R_OK) != 0) {
        print_message("no ../shared/data/%s here\n", name);
        return NULL;
    }
    return path;
}

static const char *program(const char *variable, const char *built)
{
    const char *given = getenv(variable);
    const char *path = given != NULL ? given : built;
    if (access(path, X_OK) != 0) {
        testkit_fail("no program at '%s' (set %s)", path, variable);
    }
    return path;
}

const char *testkit_billingd(void)
{
    return program("BILLINGD_PATH", BILLINGD_PATH);
}

const char *testkit_billingctl(void)
{
    return program("BILLINGCTL_PATH", BILLINGCTL_PATH);
}

int64_t testkit_now_ms(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) {
        abort();
    }
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t testkit_patience_ms(void)
{
    const char *given = getenv("BILLING_TEST_PATIENCE_MS");
    return given != NULL ? strtoll(given, NULL, 10) : 120000;
}

void testkit_await_month(void)
{
    enum {
        LEFT_S = 120,
        LOOK_MS = 500,
    };
    struct tm now;
    struct tm later;
    for (;;) {
        time_t now_s = time(NULL);
        time_t later_s = now_s + LEFT_S;
        if (gmtime_r(&now_s, &now) == NULL || gmtime_r(&later_s, &later) == NULL) {
            abort();
        }
        if (now.tm_mon == later.tm_mon) {
            return;
        }
        IGNORE(poll(NULL, 0, LOOK_MS) < 0); /* then we look sooner */
    }
}

/* --- asserts ---------------------------------------------------------------------------------- */

void testkit_fail_at(const char *file, int line, const char *format, ...)
{
    char message[2048];
    va_list args;
    va_start(args, format);
    IGNORE(vsnprintf(message, sizeof message, format, args) < 0); /* cut is good enough */
    va_end(args);
    print_error("%s\n", message);
    _fail(file, line);
    abort(); /* _fail() does not return, but its prototype does not say so */
}

void testkit_assert_u64(uint64_t got, uint64_t expected, const char *what, const char *file,
                        int line)
{
    if (got != expected) {
        testkit_fail_at(file, line, "%s is %" PRIu64 ", expected %" PRIu64, what, got, expected);
    }
}

void testkit_assert_i64(int64_t got, int64_t expected, const char *what, const char *file, int line)
{
    if (got != expected) {
        testkit_fail_at(file, line, "%s is %" PRId64 ", expected %" PRId64, what, got, expected);
    }
}

void testkit_assert_text(const void *data, size_t length, const char *expected, const char *what,
                         const char *file, int line)
{
    if (length != strlen(expected) || (length > 0 && memcmp(data, expected, length) != 0)) {
        testkit_fail_at(file, line, "%s is '%.*s' (%zu bytes), expected '%s'", what,
                        (int)(length < 900 ? length : 900), length > 0 ? (const char *)data : "",
                        length, expected);
    }
}

static const char *status_name(int status)
{
    return status == 0 ? "ok" : status_info(status)->name;
}

void testkit_assert_status(int got, int expected, const char *what, const char *file, int line)
{
    if (got != expected) {
        testkit_fail_at(file, line, "%s is %d %s, expected %d %s", what, got, status_name(got),
                        expected, status_name(expected));
    }
}

void testkit_assert_contains(const char *text, const char *part, const char *what, const char *file,
                             int line)
{
    if (strstr(text, part) == NULL) {
        testkit_fail_at(file, line, "%s has no '%s' in it:\n%s", what, part, text);
    }
}
