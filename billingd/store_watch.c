#include "billingd/store_watch.h"

#include "billingd/base/log.h"
#include "proto/status.h"

/* Recording goes on without the sealer, for a while. */
static void note_sealer(struct store_watch *watch, int status)
{
    if (status != 0 && !watch->is_failing && status == STATUS_STORAGE_FULL) {
        log_warning(LOG_STORE, "no room to seal records into segments");
    } else if (status != 0 && !watch->is_failing) {
        log_error(LOG_STORE, "records cannot be sealed into segments",
                  LOG_TEXT("code", status_info(status)->name));
    } else if (status == 0 && watch->is_failing) {
        log_info(LOG_STORE, "records are sealed into segments again");
    }
    watch->is_failing = status != 0;
}

/* Told once: what is damaged stays so until a backup is restored. */
static void note_damage(struct store_watch *watch, const struct store_stats *stats)
{
    if (stats->segments_damaged && !watch->is_damaged && stats->segment_damaged != 0) {
        log_error(LOG_STORE,
                  "a segment is damaged: it is not merged, and what needs it fails; verify the "
                  "store, and restore a backup",
                  LOG_INT("segment", (int64_t)stats->segment_damaged));
    } else if (stats->segments_damaged && !watch->is_damaged) {
        log_error(LOG_STORE,
                  "a replaced segment is damaged and none is removed any more; verify the store, "
                  "and restore a backup");
    }
    watch->is_damaged = stats->segments_damaged;
}

void store_watch_note(struct store_watch *watch, const struct store_stats *stats)
{
    note_sealer(watch, stats->sealer_status);
    note_damage(watch, stats);
}
