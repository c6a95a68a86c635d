#include "billingd/store/lmdb/file_room.h"

#include <sys/types.h>
#include <unistd.h>

#include "billingd/base/assert.h"

enum {
    LEAST_BYTES = 32 * 1024,  /* less of it is little: a small commit takes some pages */
    STEP_BYTES = 256 * 1024,  /* of one write: 0.1 ms, and 1 ms of the sync behind it */
    GROWTH_BYTES = 64 * 1024, /* of one commit: beyond it, it is large */
};

static uint64_t used_bytes(const struct file_room *room, const struct env *env)
{
    MDB_envinfo info;
    INVARIANT(mdb_env_info(env->mdb, &info) == 0);
    return (info.me_last_pgno + 1) * room->page_bytes;
}

void file_room_init(struct file_room *room, const struct env *env)
{
    MDB_stat stat;
    INVARIANT(mdb_env_stat(env->mdb, &stat) == 0);
    room->page_bytes = stat.ms_psize;
    room->used_bytes = used_bytes(room, env);
    room->file_bytes = env_bytes(env);
}

void file_room_keep(struct file_room *room, const struct env *env)
{
    static uint8_t zeros[STEP_BYTES];
    uint64_t used = used_bytes(room, env);
    uint64_t growth = used - room->used_bytes;
    room->used_bytes = used;
    room->file_bytes = used > room->file_bytes ? used : room->file_bytes;
    if (growth > GROWTH_BYTES || room->file_bytes - used >= LEAST_BYTES) {
        return;
    }
    ssize_t written = pwrite(env_fd(env), zeros, sizeof zeros, (off_t)room->file_bytes);
    room->file_bytes += written > 0 ? (uint64_t)written : 0;
}
