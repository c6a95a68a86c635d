#include "billingd/rpc/request.h"

#include <stdio.h>
#include <stdlib.h>

#include "billingd/base/clock.h"
#include "billingd/rpc/dispatch.h"
#include "proto/limits.h"

/* --- life ------------------------------------------------------------------------------------- */

struct request *request_of_op(struct op *op)
{
    return op == NULL ? NULL
                      : (struct request *)(void *)((char *)op - offsetof(struct request, op));
}

/* One that is all zero but for its arena; NULL when out of memory. */
static struct request *take(struct request_spares *spares)
{
    if (spares == NULL || spares->first == NULL) {
        return calloc(1, sizeof(struct request));
    }
    struct request *request = spares->first;
    struct arena arena = request->arena;
    spares->first = request_of_op(request->op.next);
    spares->n--;
    *request = (struct request){.arena = arena};
    return request;
}

static void free_now(struct request *request)
{
    arena_done(&request->arena);
    free(request);
}

struct request *request_create(struct dispatch *dispatch, const struct identity *who,
                               size_t arena_bytes, void (*reply)(struct request *request),
                               void *door)
{
    struct request *request = take(dispatch != NULL ? &dispatch->spares : NULL);
    if (request == NULL) {
        return NULL;
    }
    arena_reset(&request->arena, arena_bytes);
    request->dispatch = dispatch;
    request->received_us = clock_monotonic_us();
    request->reply = reply;
    request->door = door;
    billing__v1__response__init(&request->response);
    if (request_set_identity(request, who) < 0) {
        request_free(request);
        return NULL;
    }
    return request;
}

int request_set_identity(struct request *request, const struct identity *who)
{
    struct identity copy = *who;
    int rc = arena_copy(&request->arena, who->name, &copy.name);
    if (rc == 0) {
        rc = arena_copy(&request->arena, who->services, &copy.services);
    }
    if (rc == 0) {
        request->who = copy;
    }
    return rc;
}

int64_t request_submitted_us(const struct request *request)
{
    return request->reading == NULL ? request->received_us : clock_monotonic_us();
}

void request_free(struct request *request)
{
    if (request == NULL) {
        return;
    }
    struct request_spares *spares = request->dispatch == NULL ? NULL : &request->dispatch->spares;
    account_close(&request->account);
    if (spares == NULL || spares->n == REQUEST_SPARES_MAX) {
        free_now(request);
        return;
    }
    arena_reset(&request->arena, SIZE_MAX);
    request->op.next = spares->first == NULL ? NULL : &spares->first->op;
    spares->first = request;
    spares->n++;
}

void request_spares_free(struct request_spares *spares)
{
    while (spares->first != NULL) {
        struct request *next = request_of_op(spares->first->op.next);
        free_now(spares->first);
        spares->first = next;
    }
    spares->n = 0;
}

/* --- unpacking -------------------------------------------------------------------------------- */

struct unpacking {
    struct arena *arena;
    bool exhausted; /* protobuf-c only says that it failed, not why */
};

static void *unpack_alloc(void *arg, size_t bytes)
{
    struct unpacking *unpacking = arg;
    void *memory = arena_take(unpacking->arena, bytes); /* protobuf-c writes all of it */
    unpacking->exhausted |= memory == NULL;
    return memory;
}

static void unpack_free(void *arg, void *memory)
{
    (void)arg;
    (void)memory; /* goes with the arena */
}

int request_unpack(struct request *request, const uint8_t *bytes, size_t length)
{
    struct unpacking unpacking = {.arena = &request->arena};
    ProtobufCAllocator allocator = {
        .alloc = unpack_alloc,
        .free = unpack_free,
        .allocator_data = &unpacking,
    };
    request->message = billing__v1__request__unpack(&allocator, length, bytes);
    if (request->message != NULL) {
        return 0;
    }
    return unpacking.exhausted ? STATUS_TOO_LARGE : STATUS_MALFORMED_FRAME;
}

struct slice request_token(const struct request *request)
{
    const Billing__V1__Request *message = request->message;
    if (!message->has_token) {
        return (struct slice){0};
    }
    return message->token.len == 0
               ? SLICE("") /* one that is empty is there, and counts for none */
               : (struct slice){(const char *)message->token.data, message->token.len};
}

/* --- what is wrong with it -------------------------------------------------------------------- */

/* The list of ITEM.  Lists by item keep a batch of ten thousand wrong items linear. */
static struct field_errors *errors_of(struct request *request, int item)
{
    if (item < 0 || item >= LIMIT_BATCH_ITEMS) {
        return &request->errors;
    }
    if (request->item_errors == NULL) {
        request->item_errors =
            arena_alloc_array(&request->arena, LIMIT_BATCH_ITEMS, sizeof *request->item_errors);
    }
    return request->item_errors == NULL ? &request->errors : &request->item_errors[item];
}

void request_field_error(struct request *request, int item, struct slice field, int status,
                         const char *format, ...)
{
    char message[256];
    va_list arguments;
    va_start(arguments, format);
    IGNORE(vsnprintf(message, sizeof message, format, arguments) < 0); /* prose: may be cut */
    va_end(arguments);

    struct field_errors *errors = errors_of(request, item);
    if (errors->n == REQUEST_FIELD_ERRORS_MAX) {
        return;
    }
    errors->n++;
    struct field_error *error = arena_need(&request->arena, sizeof *error);
    error->field = field;
    error->status = status;
    error->message = arena_printf(&request->arena, "%s", message);
    if (errors->last == NULL) {
        errors->first = error;
    } else {
        errors->last->next = error;
    }
    errors->last = error;
}

struct field_errors request_errors(const struct request *request, int item)
{
    if (item < 0 || item >= LIMIT_BATCH_ITEMS) {
        return request->errors;
    }
    return request->item_errors == NULL ? (struct field_errors){0} : request->item_errors[item];
}

bool request_has_field_error(const struct request *request, int item, const char *field)
{
    struct slice name = slice_of(field);
    for (const struct field_error *e = request_errors(request, item).first; e != NULL;
         e = e->next) {
        if (slice_equal(e->field, name)) {
            return true;
        }
    }
    return false;
}
