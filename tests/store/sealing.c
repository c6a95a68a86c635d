#include "tests/store/sealing.h"

#include <stdatomic.h>

#include "billingd/store/lmdb/head.h"
#include "billingd/store/lmdb/manifest.h"
#include "billingd/store/lmdb/segment_writer.h"

static atomic_uint_fast64_t seals;
static atomic_uint_fast64_t merges;
static atomic_uint_fast64_t removals;

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker names them so */
void __real_head_drop(struct head *head);
void __wrap_head_drop(struct head *head);
int __real_segment_writer_finish(struct segment_writer *writer, const struct segment *replaced,
                                 size_t n);
int __wrap_segment_writer_finish(struct segment_writer *writer, const struct segment *replaced,
                                 size_t n);
int __real_manifest_remove(const struct env *env, MDB_txn *txn, uint64_t id);
int __wrap_manifest_remove(const struct env *env, MDB_txn *txn, uint64_t id);
/* NOLINTEND(bugprone-reserved-identifier) */

void __wrap_head_drop(struct head *head)
{
    __real_head_drop(head);
    seals++;
}

int __wrap_segment_writer_finish(struct segment_writer *writer, const struct segment *replaced,
                                 size_t n)
{
    int rc = __real_segment_writer_finish(writer, replaced, n);
    merges += rc == 0 && n > 0;
    return rc;
}

int __wrap_manifest_remove(const struct env *env, MDB_txn *txn, uint64_t id)
{
    int rc = __real_manifest_remove(env, txn, id);
    removals += rc == 0;
    return rc;
}

struct sealing sealing_count(void)
{
    return (struct sealing){.seals = seals, .merges = merges, .removals = removals};
}
