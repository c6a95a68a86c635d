#include "tests/lib/raw_client.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/testkit.h"

enum {
    ANSWER_BYTES_MAX = 64 * 1024 * 1024, /* any answer of the daemon is shorter */
    RECEIVE_BYTES = 64 * 1024,
};

bool raw_client_open(struct raw_client *client, const char *address)
{
    *client = (struct raw_client){.fd = sock_connect(address)};
    frame_reader_init(&client->reader, ANSWER_BYTES_MAX);
    return client->fd >= 0;
}

void raw_client_close(struct raw_client *client)
{
    if (client->fd >= 0) {
        close(client->fd);
    }
    client->fd = -1;
    frame_reader_done(&client->reader);
}

enum sock_result raw_client_send(struct raw_client *client, const void *data, size_t bytes)
{
    return sock_send(client->fd, data, bytes, testkit_now_ms() + SOCK_PATIENCE_MS, NULL);
}

enum sock_result raw_client_send_frame(struct raw_client *client, const void *payload, size_t bytes)
{
    uint8_t header[FRAME_HEADER_BYTES];
    frame_header_write(header, (uint32_t)bytes);
    enum sock_result result = raw_client_send(client, header, sizeof header);
    return result == SOCK_OK ? raw_client_send(client, payload, bytes) : result;
}

enum sock_result raw_client_send_request(struct raw_client *client,
                                         const Billing__V1__Request *request)
{
    size_t bytes = billing__v1__request__get_packed_size(request);
    uint8_t *frame = malloc(FRAME_HEADER_BYTES + bytes);
    if (frame == NULL) {
        abort();
    }
    frame_header_write(frame, (uint32_t)bytes);
    billing__v1__request__pack(request, frame + FRAME_HEADER_BYTES);
    enum sock_result result = raw_client_send(client, frame, FRAME_HEADER_BYTES + bytes);
    free(frame);
    return result;
}

/* Receive once into the reader. */
static enum sock_result feed(struct raw_client *client, int64_t deadline_ms)
{
    uint8_t *space;
    size_t room;
    size_t got;
    if (frame_reader_space(&client->reader, RECEIVE_BYTES, &space, &room) != 0) {
        abort();
    }
    enum sock_result result = sock_receive(client->fd, space, room, deadline_ms, &got);
    if (result == SOCK_OK) {
        frame_reader_fed(&client->reader, got);
    }
    return result;
}

enum sock_result raw_client_receive(struct raw_client *client, int timeout_ms,
                                    Billing__V1__Response **ret_response)
{
    int64_t deadline_ms = testkit_now_ms() + timeout_ms;
    for (;;) {
        const uint8_t *payload;
        size_t bytes;
        int status = frame_reader_next(&client->reader, &payload, &bytes);
        if (status == 0) {
            *ret_response = billing__v1__response__unpack(NULL, bytes, payload);
            return *ret_response == NULL ? SOCK_GARBAGE : SOCK_OK;
        }
        if (status != STATUS_NEED_MORE) {
            return SOCK_GARBAGE;
        }
        enum sock_result result = feed(client, deadline_ms);
        if (result == SOCK_CLOSED && frame_reader_pending(&client->reader) > 0) {
            return SOCK_GARBAGE; /* cut in the middle of a frame */
        }
        if (result != SOCK_OK) {
            return result;
        }
    }
}

Billing__V1__Response *raw_client_call(struct raw_client *client, Billing__V1__Request *request)
{
    if (!request->has_call_id) {
        request->has_call_id = 1;
        request->call_id = ++client->last_call_id;
    }
    enum sock_result result = raw_client_send_request(client, request);
    if (result != SOCK_OK) {
        testkit_fail("sending a request: %s", sock_result_name(result));
    }
    Billing__V1__Response *response;
    result = raw_client_receive(client, SOCK_PATIENCE_MS, &response);
    if (result != SOCK_OK) {
        testkit_fail("waiting for an answer: %s", sock_result_name(result));
    }
    assert_true(response->has_call_id);
    assert_u64(response->call_id, request->call_id);
    return response;
}

void raw_client_finish(struct raw_client *client)
{
    sock_finish(client->fd);
}

enum sock_result raw_client_wait_close(struct raw_client *client, int timeout_ms,
                                       size_t *ret_dropped)
{
    return sock_wait_close(client->fd, testkit_now_ms() + timeout_ms, ret_dropped);
}

ProtobufCBinaryData raw_bytes(const char *text)
{
    return (ProtobufCBinaryData){
        .len = strlen(text),
        .data = (uint8_t *)(uintptr_t)text, /* the generated type has no const; it is only read */
    };
}
