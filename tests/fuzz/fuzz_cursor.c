/* Cursors: a position that is printed is read back from the text, for the same list and question
 * alone; and a text that never was printed leads nowhere.  The input is a list, a customer, how to
 * tamper, and a position. */
#include <stdlib.h>
#include <string.h>

#include "billingd/rpc/cursor.h"
#include "billingd/rpc/dispatch.h"
#include "tests/fuzz/fuzz.h"

static const struct identity somebody = {.name = SLICE("fuzz"), .role = ROLE_ADMIN};

/* A request that asks for the usage of CUSTOMER. */
static struct request *ask(struct dispatch *dispatch, uint8_t customer)
{
    struct request *request = request_create(dispatch, &somebody, 65536, NULL, NULL);
    FUZZ_CHECK(request != NULL);
    Billing__V1__ListUsage *list = arena_need(&request->arena, sizeof *list);
    request->message = arena_need(&request->arena, sizeof *request->message);
    billing__v1__request__init(request->message);
    billing__v1__list_usage__init(list);
    list->has_customer_id = true;
    list->customer_id.data = arena_need(&request->arena, 1);
    list->customer_id.data[0] = customer;
    list->customer_id.len = 1;
    request->message->call_case = BILLING__V1__REQUEST__CALL_LIST_USAGE;
    request->message->list_usage = list;
    return request;
}

/* What a new request of the same kind takes TEXT for; whether it took it. */
static bool parse(struct dispatch *dispatch, uint8_t customer, unsigned list, struct slice text,
                  struct slice *ret, char position[CURSOR_POSITION_BYTES_MAX])
{
    struct request *request = ask(dispatch, customer);
    char *copy = fuzz_copy(text);
    ProtobufCBinaryData field = {.len = text.length, .data = (uint8_t *)copy};
    struct slice found = cursor_parse(request, (enum cursor_list)list, true, field);
    bool taken = request->errors.first == NULL;
    FUZZ_CHECK(taken || found.length == 0);
    FUZZ_CHECK(found.length <= CURSOR_POSITION_BYTES_MAX);
    if (found.length > 0) {
        memcpy(position, found.data, found.length);
    }
    *ret = (struct slice){position, found.length};
    free(copy);
    request_free(request);
    return taken;
}

/* Whatever is taken is what printing its position gives. */
static void check_text(struct dispatch *dispatch, uint8_t customer, unsigned list,
                       struct slice text)
{
    char position[CURSOR_POSITION_BYTES_MAX];
    struct slice found;
    if (parse(dispatch, customer, list, text, &found, position) && found.length > 0) {
        struct request *request = ask(dispatch, customer);
        ProtobufCBinaryData printed;
        protobuf_c_boolean has = false;
        cursor_print(request, (enum cursor_list)list, found, &has, &printed);
        FUZZ_CHECK(has && slice_equal((struct slice){(char *)printed.data, printed.len}, text));
        request_free(request);
    }
}

static void check_printed(struct dispatch *dispatch, struct fuzz_input *input)
{
    unsigned list = 1 + fuzz_byte(input) % 13;
    uint8_t customer = fuzz_byte(input);
    size_t at = (size_t)fuzz_number(input, 2);
    uint8_t change = fuzz_byte(input);
    struct slice position = fuzz_slice(input, CURSOR_POSITION_BYTES_MAX);
    if (position.length == 0) {
        position = SLICE("x"); /* a list that has not begun has no cursor */
    }
    struct request *request = ask(dispatch, customer);
    ProtobufCBinaryData printed;
    protobuf_c_boolean has = false;
    char again[CURSOR_POSITION_BYTES_MAX];
    struct slice found;
    cursor_print(request, (enum cursor_list)list, position, &has, &printed);
    struct slice text = {(char *)printed.data, printed.len};
    FUZZ_CHECK(has);
    FUZZ_CHECK(parse(dispatch, customer, list, text, &found, again));
    FUZZ_CHECK(slice_equal(found, position));
    FUZZ_CHECK(!parse(dispatch, customer, list + 1, text, &found, again));
    FUZZ_CHECK(!parse(dispatch, (uint8_t)(customer + 1), list, text, &found, again));
    printed.data[at % printed.len] ^= change;
    check_text(dispatch, customer, list, text);
    request_free(request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dispatch dispatch;
    struct fuzz_input input = {data, size};
    dispatch_init(&dispatch, &(struct dispatch_options){.currency = "USD"}, 7);
    check_printed(&dispatch, &input);
    check_text(&dispatch, 'c', 1 + (size > 0 ? data[0] % 13 : 0),
               (struct slice){(const char *)data, size});
    dispatch_done(&dispatch);
    return 0;
}
