/* Requests in protobuf, as the daemon unpacks them: what is taken is packed again to the same bytes
 * however often, and costs no more memory than its arena has.  Fields that nobody knows are left
 * out of that: the daemon refuses them, and protobuf-c gives back a field 0 whose tag is written in
 * two bytes with one, which it does not take. */
#include <stdlib.h>
#include <string.h>

#include "billingd/rpc/request.h"
#include "proto/field_kind.h"
#include "tests/fuzz/fuzz.h"

enum {
    ARENA_BYTES = 64 * 1024,
    ARENA_SLACK = 4096, /* of the arena's own last chunk */
};

static const struct identity somebody = {.name = SLICE("fuzz"), .role = ROLE_ADMIN};

static struct request *unpack(struct slice bytes, int *ret_status)
{
    char *copy = fuzz_copy(bytes);
    struct request *request = request_create(NULL, &somebody, ARENA_BYTES, NULL, NULL);
    FUZZ_CHECK(request != NULL);
    *ret_status = request_unpack(request, (const uint8_t *)copy, bytes.length);
    free(copy); /* it is not to be referred to */
    FUZZ_CHECK(arena_bytes(&request->arena) <= ARENA_BYTES + ARENA_SLACK);
    return request;
}

static struct slice pack(const struct request *request)
{
    size_t length = protobuf_c_message_get_packed_size(&request->message->base);
    uint8_t *packed = malloc(length + 1);
    FUZZ_CHECK(packed != NULL);
    FUZZ_CHECK(protobuf_c_message_pack(&request->message->base, packed) == length);
    return (struct slice){(const char *)packed, length};
}

/* The messages that FIELD of MESSAGE holds, *RET_N of them. */
static ProtobufCMessage *const *messages_of(const ProtobufCMessage *message,
                                            const ProtobufCFieldDescriptor *field, size_t *ret_n)
{
    const char *at = (const char *)message + field->offset;
    const char *quantifier = (const char *)message + field->quantifier_offset;
    if (field->type != PROTOBUF_C_TYPE_MESSAGE || !field_is_set(message, field)) {
        *ret_n = 0;
        return NULL;
    }
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        *ret_n = *(const size_t *)(const void *)quantifier;
        return *(ProtobufCMessage *const *const *)(const void *)at;
    }
    *ret_n = 1;
    return (ProtobufCMessage *const *)(const void *)at;
}

static bool has_unknown(const ProtobufCMessage *message)
{
    bool found = message->n_unknown_fields > 0;
    for (unsigned i = 0; i < message->descriptor->n_fields && !found; i++) {
        size_t n;
        ProtobufCMessage *const *inner = messages_of(message, &message->descriptor->fields[i], &n);
        for (size_t item = 0; item < n && !found; item++) {
            found = has_unknown(inner[item]);
        }
    }
    return found;
}

static void check_again(struct slice packed)
{
    int status;
    struct request *again = unpack(packed, &status);
    FUZZ_CHECK(status == 0 || status == STATUS_TOO_LARGE);
    if (status == 0) {
        struct slice repacked = pack(again);
        FUZZ_CHECK(slice_equal(repacked, packed));
        free((void *)(uintptr_t)repacked.data);
    }
    request_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int status;
    struct request *request = unpack((struct slice){(const char *)data, size}, &status);
    FUZZ_CHECK(status == 0 || status == STATUS_MALFORMED_FRAME || status == STATUS_TOO_LARGE);
    if (status == 0 && !has_unknown(&request->message->base)) {
        struct slice packed = pack(request);
        check_again(packed);
        free((void *)(uintptr_t)packed.data);
    }
    request_free(request);
    return 0;
}
