#include "bench/caller.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench/fail.h"
#include "bench/files.h"
#include "proto/limits.h"

enum {
    READ_BYTES = 1 << 16,
    CUSTOMERS_AHEAD = 256, /* created before the first answer is awaited */
};

int caller_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        fail("the socket's name is too long: %s", path);
    }
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0, path);
    return fd;
}

void caller_open(struct caller *caller, const char *path)
{
    caller->fd = caller_connect(path);
    frame_reader_init(&caller->reader, LIMIT_FRAME_BYTES_DEFAULT);
}

void caller_close(struct caller *caller)
{
    frame_reader_done(&caller->reader);
    check(close(caller->fd) == 0, "close");
}

void caller_send(struct caller *caller, const Billing__V1__Request *request)
{
    uint8_t frame[4096];
    size_t bytes = billing__v1__request__get_packed_size(request);
    if (bytes + FRAME_HEADER_BYTES > sizeof frame) {
        fail("a request of %zu bytes", bytes);
    }
    frame_header_write(frame, (uint32_t)bytes);
    billing__v1__request__pack(request, frame + FRAME_HEADER_BYTES);
    bytes += FRAME_HEADER_BYTES;
    check(send(caller->fd, frame, bytes, MSG_NOSIGNAL) == (ssize_t)bytes, "send");
}

Billing__V1__Response *caller_receive(struct caller *caller)
{
    const uint8_t *payload;
    size_t bytes;
    while (frame_reader_next(&caller->reader, &payload, &bytes) != 0) {
        uint8_t *space;
        size_t room;
        check_status(frame_reader_space(&caller->reader, READ_BYTES, &space, &room), "receive");
        ssize_t n = read(caller->fd, space, room);
        if (n == 0) {
            fail("the daemon has closed the connection");
        }
        check(n > 0, "read");
        frame_reader_fed(&caller->reader, (size_t)n);
    }
    Billing__V1__Response *response = billing__v1__response__unpack(NULL, bytes, payload);
    if (response == NULL) {
        fail("an answer that is no message");
    }
    return response;
}

static bool is_problem(const Billing__V1__Response *response)
{
    return response->result_case == BILLING__V1__RESPONSE__RESULT_PROBLEM;
}

__attribute__((noreturn)) static void refuse(const Billing__V1__Response *response)
{
    fail("refused: %.*s", (int)response->problem->detail.len,
         (const char *)response->problem->detail.data);
}

Billing__V1__Response *caller_ask(struct caller *caller, const Billing__V1__Request *request)
{
    caller_send(caller, request);
    Billing__V1__Response *response = caller_receive(caller);
    if (is_problem(response)) {
        refuse(response);
    }
    return response;
}

void caller_free(Billing__V1__Response *response)
{
    billing__v1__response__free_unpacked(response, NULL);
}

ProtobufCBinaryData caller_bytes(struct slice text)
{
    return (ProtobufCBinaryData){text.length, (uint8_t *)(uintptr_t)text.data}; /* only read */
}

/* --- customers -------------------------------------------------------------------------------- */

/* Customers are found again by an external id that their number makes. */
static void send_customer(struct caller *caller, uint64_t number)
{
    char external_id[32];
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__CreateCustomer create = BILLING__V1__CREATE_CUSTOMER__INIT;
    IGNORE(snprintf(external_id, sizeof external_id, "bench-%" PRIu64, number) < 0); /* it fits */
    create.has_customer_name = create.has_external_id = 1;
    create.customer_name = caller_bytes(SLICE("A customer's name"));
    create.external_id = caller_bytes(slice_of(external_id));
    request.has_call_id = 1;
    request.call_id = number;
    request.call_case = BILLING__V1__REQUEST__CALL_CREATE_CUSTOMER;
    request.create_customer = &create;
    caller_send(caller, &request);
}

static void receive_customer(struct caller *caller, struct slice *ids, uint64_t n)
{
    Billing__V1__Response *response = caller_receive(caller);
    ProtobufCBinaryData id;
    if (!is_problem(response)) {
        id = response->create_customer->customer->id;
    } else if (response->problem->has_existing_id) {
        id = response->problem->existing_id;
    } else {
        refuse(response);
    }
    if (response->call_id >= n) {
        fail("an answer to a call that was not made");
    }
    ids[response->call_id] = slice_of(files_format("%.*s", (int)id.len, (const char *)id.data));
    caller_free(response);
}

struct slice *caller_customers(struct caller *caller, uint64_t n)
{
    struct slice *ids = calloc(n, sizeof *ids);
    check(ids != NULL, "memory");
    uint64_t sent = 0;
    for (uint64_t received = 0; received < n; received++) {
        while (sent < n && sent - received < CUSTOMERS_AHEAD) {
            send_customer(caller, sent++);
        }
        receive_customer(caller, ids, n);
    }
    return ids;
}
