/* Room behind the pages that LMDB uses, written ahead.
 *
 * A sync after a write behind the end of a file must also write down the file's new size and where
 * its new blocks lie: the file system's own journal, and half as long again.  So small commits find
 * blocks that are there already, full of zeros.  fallocate() would not do: blocks that were never
 * written are noted as such, and turning them into written ones goes through the same journal.
 * Large commits need no help: what they write takes longer than that. */
#pragma once

#include "billingd/store/lmdb/env.h"

struct file_room {
    uint64_t page_bytes;
    uint64_t used_bytes; /* by LMDB, when it was last looked at */
    uint64_t file_bytes; /* at least so long the file is */
};

/* Begin with the file as it is. */
void file_room_init(struct file_room *room, const struct env *env);

/* Write some room if little is left, for the next sync to make durable with all else.  Where that
 * fails, there is none: LMDB meets the same failure if it lasts.  Nobody may be writing, nor begin
 * to: committer thread, whose turn it is, at the beginning of its transaction. */
void file_room_keep(struct file_room *room, const struct env *env);
