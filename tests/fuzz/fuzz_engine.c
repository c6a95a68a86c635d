/* The LMDB engine against the store in memory: the same calls, over both, get the same answers to
 * the byte, whatever is sealed and merged meanwhile, and also when the store is opened anew, which
 * each third byte of the input may ask for.  Segments of a few records, as the first byte says. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "tests/fuzz/counter.h"
#include "tests/fuzz/invariants.h"
#include "tests/fuzz/script.h"
#include "tests/lib/memory_store.h"

enum {
    CALLS_MAX = 48,
    PATH_BYTES = 64,
    MAP_BYTES = 64 << 20,
    READERS_MAX = 4,
};

/* --- what no two stores have alike ------------------------------------------------------------ */

enum {
    MEMORY_ID_KEY = 42, /* of the store in memory: the digests of invoices are made with it */
};

ssize_t __wrap_getrandom(void *buffer, size_t bytes, unsigned flags); /* NOLINT: as ld wants it */

/* The engine asks once, for the key of a new store. */
ssize_t __wrap_getrandom(void *buffer, size_t bytes, unsigned flags) /* NOLINT */
{
    (void)flags;
    memset(buffer, 0, bytes);
    *(uint8_t *)buffer = MEMORY_ID_KEY; /* little-endian, as all that we run on */
    return (ssize_t)bytes;
}

/* --- a store on disk -------------------------------------------------------------------------- */

static const char *const uris[] = {
    "lmdb:?head_records=1&merge_width=2&slice_bytes=16368",
    "lmdb:?head_records=3&merge_width=8&block_bytes=600",
    "lmdb:?head_records=5&merge_width=2&slice_bytes=16368&block_bytes=600",
    "lmdb:?block_bytes=600",
};

struct disk {
    char directory[PATH_BYTES];
    const char *uri;
    struct store *store;
};

static void disk_open(struct disk *disk)
{
    struct errinfo reason = {""};
    struct store_options options = {
        .data_dir = disk->directory,
        .map_bytes = MAP_BYTES,
        .readers_max = READERS_MAX,
        .currency = "USD",
        .now_us = SCRIPT_START_US,
    };
    FUZZ_CHECK(store_open(disk->uri, &options, &disk->store, &reason) == 0);
}

/* In memory where there is such a place: what is asked here is no question of the disk. */
static void disk_create(struct disk *disk, uint8_t mode)
{
    const char *place = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    FUZZ_CHECK(snprintf(disk->directory, PATH_BYTES, "%s/billing-fuzz-XXXXXX", place) < PATH_BYTES);
    FUZZ_CHECK(mkdtemp(disk->directory) != NULL);
    disk->uri = uris[mode % 4];
    disk_open(disk);
}

static void disk_destroy(struct disk *disk)
{
    store_close(disk->store);
    DIR *directory = opendir(disk->directory);
    FUZZ_CHECK(directory != NULL);
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        if (entry->d_name[0] != '.') {
            FUZZ_CHECK(unlinkat(dirfd(directory), entry->d_name, 0) == 0);
        }
    }
    closedir(directory);
    FUZZ_CHECK(rmdir(disk->directory) == 0);
}

/* --- both ------------------------------------------------------------------------------------- */

struct both {
    struct disk disk;
    struct memory_store *memory;
    struct counter on_disk;
    struct counter in_memory;
};

/* The workers of a program are one counter's at a time. */
static Billing__V1__Response *call_one(struct counter *counter, struct slice packed, int64_t now_us)
{
    counter_take_workers(counter);
    counter->now_us = now_us;
    return counter_call(counter, (const uint8_t *)packed.data, packed.length);
}

static void call(struct both *both, struct script *script, struct slice packed)
{
    Billing__V1__Response *a = call_one(&both->on_disk, packed, script->now_us);
    Billing__V1__Response *b = call_one(&both->in_memory, packed, script->now_us);
    FUZZ_CHECK(a->result_case == b->result_case);
    if (a->result_case !=
        BILLING__V1__RESPONSE__RESULT_GET_SERVER_INFO) { /* which names its store */
        FUZZ_CHECK(both->on_disk.packed_bytes == both->in_memory.packed_bytes);
        FUZZ_CHECK(
            memcmp(both->on_disk.packed, both->in_memory.packed, both->on_disk.packed_bytes) == 0);
    }
    script_note(script, a);
    billing__v1__response__free_unpacked(a, NULL);
    billing__v1__response__free_unpacked(b, NULL);
    struct store_info on_disk = counter_info(&both->on_disk);
    struct store_info in_memory = counter_info(&both->in_memory);
    FUZZ_CHECK(on_disk.last_seq == in_memory.last_seq);
    FUZZ_CHECK(on_disk.customers == in_memory.customers && on_disk.usage == in_memory.usage);
    FUZZ_CHECK(on_disk.invoices == in_memory.invoices);
}

static void reopen(struct both *both)
{
    store_close(both->disk.store);
    disk_open(&both->disk);
    both->on_disk.store = both->disk.store;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct both both = {.memory = memory_store_create()};
    struct script script;
    struct slice packed;
    script_init(&script, data, size);
    uint8_t mode = fuzz_byte(&script.input);
    disk_create(&both.disk, mode);
    counter_open(&both.on_disk, both.disk.store, script.now_us);
    counter_open(&both.in_memory, memory_store_handle(both.memory), script.now_us);
    for (int calls = 0; calls < CALLS_MAX && script_next(&script, &packed); calls++) {
        call(&both, &script, packed);
        if ((mode & 4) != 0 && fuzz_byte(&script.input) % 8 == 7) {
            reopen(&both);
        }
    }
    reopen(&both);
    counter_take_workers(&both.on_disk);
    check_money(&both.on_disk);
    counter_close(&both.on_disk);
    counter_close(&both.in_memory);
    script_done(&script);
    memory_store_destroy(both.memory);
    disk_destroy(&both.disk);
    return 0;
}
