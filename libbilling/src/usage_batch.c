#include <stdlib.h>
#include <string.h>

#include "libbilling/src/usage_input.h"

_Static_assert((int)BILLING_BATCH_ITEMS_MAX == (int)LIMIT_BATCH_ITEMS, "one bound, two headers");
_Static_assert((int)BILLING_REQUEST_ID_BYTES_MAX == (int)LIMIT_REQUEST_ID_BYTES, "likewise");
_Static_assert((int)BILLING_LABELS_MAX == (int)LIMIT_LABELS, "likewise");
_Static_assert((int)BILLING_PAGE_MAX == (int)LIMIT_PAGE_MAX, "likewise");

enum {
    ITEMS_BYTES_MAX = LIMIT_FRAME_BYTES_DEFAULT - 1024, /* leaves room for what is around them */
    ITEM_BYTES_AROUND = 8,                              /* tag and length of an item, at most */
    ARENA_CHUNK_BYTES = 64 * 1024,
    ITEMS_AT_FIRST = 64,
};

static void init(billing_usage_batch *batch)
{
    *batch = (struct billing_usage_batch){0};
    arena_init(&batch->arena, ARENA_CHUNK_BYTES, SIZE_MAX); /* bounded by count and bytes */
}

static void done(billing_usage_batch *batch)
{
    arena_done(&batch->arena);
    free(batch->items);
}

billing_usage_batch *billing_usage_batch_new(void)
{
    billing_usage_batch *batch = malloc(sizeof *batch);
    if (batch != NULL) {
        init(batch);
    }
    return batch;
}

void billing_usage_batch_free(billing_usage_batch *batch)
{
    if (batch != NULL) {
        done(batch);
        free(batch);
    }
}

void billing_usage_batch_clear(billing_usage_batch *batch)
{
    if (batch != NULL) {
        done(batch);
        init(batch);
    }
}

/* A copy of MESSAGE in ARENA, by the way of its BYTES on the wire.  NULL if out of memory. */
static Billing__V1__UsageInput *copy_item(struct arena *arena,
                                          const Billing__V1__UsageInput *message, size_t bytes)
{
    uint8_t small[1024];
    uint8_t *packed = bytes <= sizeof small ? small : malloc(bytes);
    if (packed == NULL) {
        return NULL;
    }
    ProtobufCAllocator allocator = arena_allocator(arena);
    billing__v1__usage_input__pack(message, packed);
    Billing__V1__UsageInput *copy = billing__v1__usage_input__unpack(&allocator, bytes, packed);
    if (packed != small) {
        free(packed);
    }
    return copy;
}

/* Room for one more item. */
static int reserve(billing_usage_batch *batch)
{
    if (batch->count < batch->capacity) {
        return 0;
    }
    size_t capacity = batch->capacity == 0 ? ITEMS_AT_FIRST : batch->capacity * 2;
    Billing__V1__UsageInput **items = realloc(batch->items, capacity * sizeof(void *));
    if (items == NULL) {
        return BILLING_E_NO_MEMORY;
    }
    batch->items = items;
    batch->capacity = capacity;
    return 0;
}

int billing_usage_batch_add(billing_usage_batch *batch, const billing_usage_input *input)
{
    if (batch == NULL || input == NULL) {
        return BILLING_E_ARGUMENT;
    }
    size_t bytes = billing__v1__usage_input__get_packed_size(&input->message);
    if (input->failed) {
        return BILLING_E_NO_MEMORY;
    }
    if (batch->count == BILLING_BATCH_ITEMS_MAX ||
        bytes + ITEM_BYTES_AROUND > ITEMS_BYTES_MAX - batch->bytes) {
        return BILLING_E_FULL;
    }
    int status = reserve(batch);
    if (status != 0) {
        return status;
    }
    Billing__V1__UsageInput *item = copy_item(&batch->arena, &input->message, bytes);
    if (item == NULL) {
        return BILLING_E_NO_MEMORY;
    }
    batch->items[batch->count++] = item;
    batch->bytes += bytes + ITEM_BYTES_AROUND;
    batch->lacks_id |= !item->has_request_id;
    return 0;
}

size_t billing_usage_batch_count(const billing_usage_batch *batch)
{
    return batch == NULL ? 0 : batch->count;
}

int billing_usage_batch_set_request_id(billing_usage_batch *batch, const char *request_id)
{
    size_t length = request_id == NULL ? 0 : strlen(request_id);
    if (batch == NULL || length > BILLING_REQUEST_ID_BYTES_MAX ||
        (request_id != NULL && length == 0)) {
        return BILLING_E_ARGUMENT;
    }
    batch->has_request_id = request_id != NULL;
    if (request_id != NULL) {
        memcpy(batch->request_id, request_id, length + 1);
    }
    return 0;
}
