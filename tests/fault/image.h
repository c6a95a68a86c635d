/* What a power cut may leave of a recording: everything that was synced, and of the rest any part.
 *
 * An image walks through a recording.  At each step one more event has begun: those before it have
 * returned, and it has not.  What is not surely on disk then is pending, and each of the pending
 * may have any fate, for itself: a disk and the kernel write in any order.  Main thread. */
#pragma once

#include "tests/fault/disk.h"
#include "tests/lib/testkit.h"

enum image_fate {
    IMAGE_LOST, /* nothing of it */
    IMAGE_KEPT, /* all of it */
    IMAGE_TORN, /* of its sectors some */
    IMAGE_HOLE, /* the file is as long as it makes it, and of its bytes there is nothing */
    IMAGE__FATES,
};

enum {
    IMAGE_PENDING_MAX = 4096,
};

struct image_file {
    uint8_t *bytes; /* owned */
    size_t size;
    size_t room;
};

struct image_name {
    char name[DISK_NAME_MAX]; /* empty: none */
    unsigned file;
};

struct image_state {
    struct image_file files[DISK_FILES_MAX];
    struct image_name names[DISK_FILES_MAX];
};

struct image {
    const struct disk_recording *recording;
    size_t at;                               /* events that have begun */
    struct image_state surely;               /* on disk */
    struct image_state made;                 /* scratch: what image_write() makes */
    size_t pending[IMAGE_PENDING_MAX];       /* which events are not surely there, in order */
    bool certain[IMAGE_PENDING_MAX];         /* they are all the same: they were durable */
    enum image_fate fate[IMAGE_PENDING_MAX]; /* set by the caller; not looked at where certain */
    size_t n_pending;
    bool scratch[DISK_FILES_MAX]; /* files of no worth after the end of a process */
};

/* Before the first event of RECORDING, which is kept by reference. */
void image_begin(struct image *image, const struct disk_recording *recording);
void image_done(struct image *image);

/* One event more has begun.  Returns whether there was one. */
bool image_step(struct image *image);

/* All have returned. */
void image_end(struct image *image);

/* Put what is left with the fates that are set into DIRECTORY, which may hold another image's
 * files.  RNG says which sectors of what is torn are there. */
void image_write(struct image *image, struct rng *rng, const char *directory);
