#include "libbilling/src/exchange.h"

#include <stdlib.h>
#include <string.h>

#include "libbilling/src/clock.h"
#include "libbilling/src/message.h"
#include "libbilling/src/reply.h"
#include "proto/frame.h"

enum {
    HTTP_UNAUTHENTICATED = 401,
};

/* REQUEST as a frame in one piece, so that it goes out in one send. */
static uint8_t *pack(const Billing__V1__Request *request, size_t payload_max, size_t *ret_bytes,
                     struct failure *reterr)
{
    size_t bytes = billing__v1__request__get_packed_size(request);
    if (bytes > payload_max) {
        failure_set(reterr, FAULT_TOO_LARGE, "%zu bytes, at most %zu are sent", bytes, payload_max);
        return NULL;
    }
    uint8_t *frame = malloc(FRAME_HEADER_BYTES + bytes);
    if (frame == NULL) {
        failure_set(reterr, FAULT_NO_MEMORY, "%s", "");
        return NULL;
    }
    frame_header_write(frame, (uint32_t)bytes);
    *ret_bytes =
        FRAME_HEADER_BYTES + billing__v1__request__pack(request, frame + FRAME_HEADER_BYTES);
    return frame;
}

/* Whether RESPONSE answers REQUEST.  Nothing else is under way on the connection, so a problem that
 * names no call is about this one: the daemon could not read that far, or takes no connections; and
 * it closes the connection. */
static bool is_answer(const Billing__V1__Request *request, const Billing__V1__Response *response)
{
    bool is_problem = response->result_case == BILLING__V1__RESPONSE__RESULT_PROBLEM;
    bool is_result = (int)response->result_case == (int)request->call_case;
    if (!response->has_call_id) {
        return is_problem;
    }
    return response->call_id == request->call_id && (is_problem || is_result);
}

static bool names_call(const billing_object *reply)
{
    return reply->reply->response->has_call_id;
}

/* Turn a frame into the reply of EXCHANGE. */
static void take_answer(const Billing__V1__Request *request, const uint8_t *payload, size_t bytes,
                        struct exchange *exchange)
{
    struct reply *reply = NULL;
    int status = reply_decode(payload, bytes, &reply);
    if (status == STATUS_NO_MEMORY) {
        failure_set(&exchange->failure, FAULT_NO_MEMORY, "for the answer");
    } else if (status != 0) {
        failure_set(&exchange->failure, FAULT_BAD_REPLY, "not a message as it should be");
    } else if (!is_answer(request, reply->response)) {
        failure_set(&exchange->failure, FAULT_BAD_REPLY, "an answer to something else");
        billing_object_free(&reply->body);
    } else {
        exchange->reply = &reply->body;
        exchange->is_problem =
            reply->response->result_case == BILLING__V1__RESPONSE__RESULT_PROBLEM;
    }
}

/* A daemon that refuses a request before it has all of it answers and closes; so the answer is
 * looked for even where sending failed, but that failure is then the one to report. */
static void talk(struct connection *connection, const Billing__V1__Request *request,
                 const uint8_t *frame, size_t frame_bytes, int64_t deadline_us,
                 struct exchange *exchange)
{
    const uint8_t *payload;
    size_t bytes;
    struct failure failure;
    bool sent = connection_send(connection, frame, frame_bytes, deadline_us, &exchange->any_sent,
                                &exchange->failure);
    if (!sent && exchange->failure.fault != FAULT_CONNECTION_LOST) {
        return;
    }
    if (connection_receive(connection, deadline_us, &payload, &bytes, &failure)) {
        take_answer(request, payload, bytes, exchange);
        if (request->call_case == BILLING__V1__REQUEST__CALL_CREATE_KEY) {
            connection_wipe(connection, payload, bytes); /* it holds the new key */
        }
    } else if (sent) {
        exchange->failure = failure;
    }
}

/* The token was another one when the connection was opened, perhaps: its file is read again for a
 * new one. */
static bool is_token_old(const billing_client *client, const struct exchange *exchange)
{
    return client->options.token_file != NULL && exchange->was_kept && exchange->is_problem &&
           billing_object_uint64(exchange->reply, "status") == HTTP_UNAUTHENTICATED;
}

/* Ask for what REQUEST has over CONNECTION. */
static void ask(billing_client *client, struct connection *connection,
                Billing__V1__Request *request, int64_t deadline_us, struct exchange *exchange)
{
    size_t bytes = 0;
    message_refer(&request->has_token, &request->token, client_token(client, connection));
    uint8_t *frame = pack(request, client->options.frame_bytes_max, &bytes, &exchange->failure);
    if (frame != NULL) {
        talk(connection, request, frame, bytes, deadline_us, exchange);
    }
    if (frame != NULL && request->has_token) {
        explicit_bzero(frame, bytes);
    }
    free(frame);
    message_refer(&request->has_token, &request->token, NULL); /* it goes with the connection */
}

void exchange_run(billing_client *client, Billing__V1__Request *request, int64_t deadline_us,
                  struct exchange *ret)
{
    *ret = (struct exchange){0};
    request->has_call_id = 1;
    request->call_id = client_next_call_id(client);
    request->has_timeout_ms = 1;
    request->timeout_ms = (uint32_t)clock_left_ms(deadline_us);
    struct connection *connection =
        client_connect(client, deadline_us, &ret->was_kept, &ret->failure);
    if (connection == NULL) {
        return;
    }
    ask(client, connection, request, deadline_us, ret);
    ret->is_token_old = is_token_old(client, ret);
    if (ret->reply != NULL && names_call(ret->reply) && !ret->is_token_old) {
        client_keep(client, connection);
    } else {
        connection_close(connection);
    }
}
