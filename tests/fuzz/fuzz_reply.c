/* Answers as the client library reads them, from a daemon that may be broken or hostile: whatever
 * is taken can be read to its last member, by every accessor, and is JSON. */
#include <stdlib.h>
#include <string.h>

#include "libbilling/src/reply.h"
#include "proto/utf8.h"
#include "tests/fuzz/fuzz.h"

static void read_member(const billing_object *object, const char *name);

static void read_object(const billing_object *object)
{
    size_t n = billing_object_field_count(object);
    for (size_t i = 0; i < n; i++) {
        const char *name = billing_object_field_name(object, i);
        FUZZ_CHECK(name != NULL);
        read_member(object, name);
    }
    FUZZ_CHECK(billing_object_field_name(object, n) == NULL);
}

static void read_list(const billing_object *object, const char *name)
{
    size_t n = billing_object_count(object, name);
    for (size_t i = 0; i < n; i++) {
        const billing_object *item = billing_object_item(object, name, i);
        FUZZ_CHECK(item != NULL);
        read_object(item);
    }
    FUZZ_CHECK(billing_object_item(object, name, n) == NULL);
}

static void read_member(const billing_object *object, const char *name)
{
    const char *text = billing_object_text(object, name);
    const billing_object *child = billing_object_child(object, name);
    FUZZ_CHECK(text == NULL || child == NULL);
    if (text != NULL) {
        FUZZ_CHECK(utf8_valid(text, strlen(text)));
    }
    if (child != NULL) {
        read_object(child);
    }
    FUZZ_CHECK(billing_object_time_us(object, name) >= -1);
    IGNORE(billing_object_uint64(object, name) == 0); /* whatever it is */
    IGNORE(billing_object_flag(object, name));        /* likewise */
    if (billing_object_kind(object, name) == BILLING_FIELD_LIST) {
        read_list(object, name);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy((struct slice){(const char *)data, size});
    struct reply *reply;
    int status = reply_decode((const uint8_t *)copy, size, &reply);
    free(copy); /* it is not to be referred to */
    FUZZ_CHECK(status == 0 || status == STATUS_MALFORMED_FRAME);
    if (status == 0) {
        char *json = NULL;
        size_t length;
        read_object(&reply->body);
        FUZZ_CHECK(billing_object_json(&reply->body, &json, &length) == 0);
        FUZZ_CHECK(strlen(json) == length && utf8_valid(json, length));
        billing_text_free(json);
        billing_object_free(&reply->body);
    }
    return 0;
}
