#include "billingctl/tally.h"

#include <stdlib.h>
#include <string.h>

#include "billingctl/memory.h"

enum {
    CAPACITY_FIRST = 1024,
};

void tally_done(struct tally *tally)
{
    free(tally->slots);
    *tally = (struct tally){0};
}

/* The slot of KEY, or the free one where it would be.  There is always a free one. */
static struct tally_slot *find(const struct tally *tally, const uint64_t key[2])
{
    size_t mask = tally->capacity - 1;
    size_t i = (size_t)key[0] & mask;
    while (tally->slots[i].count != 0 &&
           (tally->slots[i].key[0] != key[0] || tally->slots[i].key[1] != key[1])) {
        i = (i + 1) & mask;
    }
    return &tally->slots[i];
}

static void grow(struct tally *tally)
{
    struct tally old = *tally;
    tally->capacity = old.capacity == 0 ? CAPACITY_FIRST : old.capacity * 2;
    tally->slots = memory_resize(NULL, tally->capacity, sizeof *tally->slots);
    memset(tally->slots, 0, tally->capacity * sizeof *tally->slots);
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.slots[i].count != 0) {
            *find(tally, old.slots[i].key) = old.slots[i];
        }
    }
    free(old.slots);
}

uint64_t tally_add(struct tally *tally, const struct derive_hash *hash)
{
    uint64_t key[2];
    memcpy(key, hash->bytes, sizeof key);
    if (tally->used >= tally->capacity / 8 * 7) {
        grow(tally);
    }
    struct tally_slot *slot = find(tally, key);
    if (slot->count == 0) {
        memcpy(slot->key, key, sizeof key);
        tally->used++;
    }
    return slot->count++;
}
