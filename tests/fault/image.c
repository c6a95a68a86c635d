#include "tests/fault/image.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- files ------------------------------------------------------------------------------------ */

static void resize(struct image_file *file, size_t size)
{
    if (size > file->room) {
        file->room = size + size / 2;
        uint8_t *bytes = realloc(file->bytes, file->room);
        assert_non_null(bytes);
        file->bytes = bytes;
    }
    if (size > file->size) {
        memset(file->bytes + file->size, 0, size - file->size);
    }
    file->size = size;
}

static void make_room(struct image_file *file, size_t end)
{
    if (end > file->size) {
        resize(file, end);
    }
}

/* Nothing is freed of TO, which is used again. */
static void copy_file(struct image_file *to, const struct image_file *from)
{
    resize(to, from->size);
    if (from->size > 0) {
        memcpy(to->bytes, from->bytes, from->size);
    }
}

static void copy_state(struct image_state *to, const struct image_state *from)
{
    for (unsigned i = 0; i < DISK_FILES_MAX; i++) {
        copy_file(&to->files[i], &from->files[i]);
    }
    memcpy(to->names, from->names, sizeof to->names);
}

static void free_state(struct image_state *state)
{
    for (unsigned i = 0; i < DISK_FILES_MAX; i++) {
        free(state->files[i].bytes);
    }
}

/* --- names ------------------------------------------------------------------------------------ */

static void set_name(struct image_state *state, const struct disk_event *event)
{
    struct image_name *place = NULL;
    for (unsigned i = 0; i < DISK_FILES_MAX; i++) {
        struct image_name *name = &state->names[i];
        if (*name->name != '\0' &&
            (name->file == event->file || strcmp(name->name, event->name) == 0)) {
            *name->name = '\0'; /* it is renamed, or replaced */
        }
        if (*name->name == '\0' && place == NULL) {
            place = name;
        }
    }
    assert_non_null(place);
    memcpy(place->name, event->name, sizeof place->name);
    place->file = event->file;
}

/* --- events ----------------------------------------------------------------------------------- */

/* Where sectors end: at multiples of their size in the file. */
static size_t sector_end(size_t at, size_t end)
{
    size_t next = (at / DISK_SECTOR_BYTES + 1) * DISK_SECTOR_BYTES;
    return next < end ? next : end;
}

static void tear(struct image_file *file, const struct disk_event *event, struct rng *rng)
{
    size_t end = event->offset + event->bytes;
    for (size_t at = event->offset; at < end;) {
        size_t next = sector_end(at, end);
        if (rng_below(rng, 2) == 0) {
            make_room(file, next);
            memcpy(file->bytes + at, event->data + (at - event->offset), next - at);
        }
        at = next;
    }
}

/* Room that was never written may hold what another file left there. */
static void leave_hole(struct image_file *file, size_t end, struct rng *rng)
{
    size_t size = file->size;
    if (end > size) {
        resize(file, end);
        if (rng_below(rng, 2) == 0) {
            rng_fill(rng, file->bytes + size, end - size);
        }
    }
}

static void apply(struct image_state *state, const struct disk_event *event, enum image_fate fate,
                  struct rng *rng)
{
    struct image_file *file = &state->files[event->file];
    if (fate == IMAGE_LOST) {
        return;
    }
    switch (event->change) {
    case DISK_WRITE:
        if (fate == IMAGE_TORN) {
            tear(file, event, rng);
        } else if (fate == IMAGE_HOLE) {
            leave_hole(file, event->offset + event->bytes, rng);
        } else {
            make_room(file, event->offset + event->bytes);
            memcpy(file->bytes + event->offset, event->data, event->bytes);
        }
        break;
    case DISK_RESIZE:
        resize(file, event->offset);
        break;
    case DISK_NAME:
        set_name(state, event);
        break;
    case DISK_SYNC:
    case DISK_SYNC_NAMES:
        break;
    }
}

static bool is_name(const struct disk_event *event)
{
    return event->change == DISK_NAME;
}

/* SYNC has returned: what it is about is on disk. */
static void settle(struct image *image, const struct disk_event *sync)
{
    size_t left = 0;
    for (size_t i = 0; i < image->n_pending; i++) {
        const struct disk_event *event = &image->recording->events[image->pending[i]];
        bool meant = sync->change == DISK_SYNC_NAMES ? is_name(event)
                                                     : !is_name(event) && event->file == sync->file;
        if (meant) {
            apply(&image->surely, event, IMAGE_KEPT, NULL);
        } else {
            image->pending[left] = image->pending[i];
            image->certain[left] = image->certain[i];
            left++;
        }
    }
    image->n_pending = left;
}

/* The event that began last has returned. */
static void finish_last(struct image *image)
{
    if (image->at == 0) {
        return;
    }
    const struct disk_event *event = &image->recording->events[image->at - 1];
    if (event->change == DISK_SYNC || event->change == DISK_SYNC_NAMES) {
        settle(image, event);
    } else if (event->durable) {
        image->certain[image->n_pending - 1] = true;
    }
}

/* --- steps ------------------------------------------------------------------------------------ */

void image_begin(struct image *image, const struct disk_recording *recording)
{
    *image = (struct image){.recording = recording};
    for (size_t i = 0; i < recording->n; i++) {
        const struct disk_event *event = &recording->events[i];
        if (is_name(event) &&
            (strcmp(event->name, "LOCK") == 0 || strcmp(event->name, "lock.mdb") == 0)) {
            image->scratch[event->file] = true;
        }
    }
}

void image_done(struct image *image)
{
    free_state(&image->surely);
    free_state(&image->made);
}

bool image_step(struct image *image)
{
    finish_last(image);
    if (image->at == image->recording->n) {
        return false;
    }
    const struct disk_event *event = &image->recording->events[image->at++];
    bool is_sync = event->change == DISK_SYNC || event->change == DISK_SYNC_NAMES;
    if (!is_sync && !image->scratch[event->file]) {
        assert_true(image->n_pending < IMAGE_PENDING_MAX);
        image->pending[image->n_pending] = image->at - 1;
        image->certain[image->n_pending] = false;
        image->n_pending++;
    }
    return true;
}

void image_end(struct image *image)
{
    while (image_step(image)) {
    }
}

/* --- writing ---------------------------------------------------------------------------------- */

static void put_file(const char *directory, const struct image_name *name,
                     const struct image_file *file)
{
    char path[256];
    assert_in_range(snprintf(path, sizeof path, "%s/%s", directory, name->name), 1,
                    sizeof path - 1);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_u64(pwrite(fd, file->bytes, file->size, 0), file->size);
    assert_int_equal(ftruncate(fd, (off_t)file->size), 0);
    close(fd);
}

static bool has_name(const struct image_state *state, const char *name)
{
    for (unsigned i = 0; i < DISK_FILES_MAX; i++) {
        if (strcmp(state->names[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void remove_file(const char *directory, const char *name)
{
    char path[256];
    assert_in_range(snprintf(path, sizeof path, "%s/%s", directory, name), 1, sizeof path - 1);
    IGNORE(unlink(path) < 0); /* it may not be there */
}

/* Files that the image does not have. */
static void remove_others(const struct image *image, const char *directory)
{
    for (size_t i = 0; i < image->recording->n; i++) {
        const struct disk_event *event = &image->recording->events[i];
        if (is_name(event) && !has_name(&image->made, event->name)) {
            remove_file(directory, event->name);
        }
    }
}

void image_write(struct image *image, struct rng *rng, const char *directory)
{
    copy_state(&image->made, &image->surely);
    for (size_t i = 0; i < image->n_pending; i++) {
        const struct disk_event *event = &image->recording->events[image->pending[i]];
        apply(&image->made, event, image->certain[i] ? IMAGE_KEPT : image->fate[i], rng);
    }
    remove_others(image, directory);
    for (unsigned i = 0; i < DISK_FILES_MAX; i++) {
        const struct image_name *name = &image->made.names[i];
        if (*name->name != '\0') {
            put_file(directory, name, &image->made.files[name->file]);
        }
    }
}
