/* HTTP, from the bytes of a connection to the bytes of the answers.  However a stream is cut, the
 * same requests come out of it, and the same refusal; and whatever is asked, the answer is one
 * message of HTTP whose length is as it says and whose JSON is lawful.  There is a customer,
 * external:x0, with a record and an adjustment.  The first byte says how the stream is cut. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "billingd/net/http_answer.h"
#include "billingd/net/http_parser.h"
#include "billingd/net/http_request.h"
#include "billingd/net/http_text.h"
#include "billingd/rpc/json_lint.h"
#include "tests/fuzz/counter.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/memory_store.h"

static const struct http_limits limits = {
    .head_bytes_max = 2048,
    .target_bytes_max = 512,
    .headers_max = 16,
    .body_bytes_max = 4096,
};

/* --- the answer ------------------------------------------------------------------------------- */

/* The next line of TEXT, which is taken off, without its CRLF. */
static struct slice take_line(struct slice *text)
{
    const char *end = memmem(text->data, text->length, "\r\n", 2);
    FUZZ_CHECK(end != NULL);
    struct slice line = {text->data, (size_t)(end - text->data)};
    for (size_t i = 0; i < line.length; i++) {
        FUZZ_CHECK((unsigned char)line.data[i] >= ' ' && line.data[i] != 0x7F);
    }
    *text = (struct slice){end + 2, text->length - line.length - 2};
    return line;
}

static bool take_header(struct slice line, const char *name, struct slice *ret)
{
    size_t length = strlen(name);
    if (line.length <= length || line.data[length] != ':' ||
        strncasecmp(line.data, name, length) != 0) {
        return false;
    }
    *ret = http_trim((struct slice){line.data + length + 1, line.length - length - 1});
    return true;
}

static size_t number_in(struct slice text)
{
    size_t number = 0;
    FUZZ_CHECK(text.length > 0 && text.length < 10);
    for (size_t i = 0; i < text.length; i++) {
        FUZZ_CHECK(text.data[i] >= '0' && text.data[i] <= '9');
        number = 10 * number + (size_t)(text.data[i] - '0');
    }
    return number;
}

static void check_body(struct slice type, struct slice body, bool head_only, size_t length)
{
    struct json_lint lint;
    FUZZ_CHECK(body.length == (head_only ? 0 : length));
    if (body.length > 0 && type.length > 0 && memmem(type.data, type.length, "json", 4) != NULL) {
        FUZZ_CHECK(json_lint(body, &lint) == 0);
    }
}

/* ANSWER is one whole answer. */
static void check_answer(struct slice answer, bool head_only)
{
    struct slice line = take_line(&answer);
    struct slice value;
    struct slice type = {0};
    size_t length = 0;
    unsigned lengths = 0;
    FUZZ_CHECK(line.length > 13 && memcmp(line.data, "HTTP/1.1 ", 9) == 0);
    size_t status = number_in((struct slice){line.data + 9, 3});
    FUZZ_CHECK(status >= 200 && status < 600 && status != 500);
    while ((line = take_line(&answer)).length > 0) {
        if (take_header(line, "Content-Length", &value)) {
            length = number_in(value);
            lengths++;
        }
        if (take_header(line, "Content-Type", &value)) {
            type = value;
        }
    }
    FUZZ_CHECK(lengths == (status != 204));
    check_body(type, answer, head_only, length);
}

/* --- from a message to its answer ------------------------------------------------------------- */

struct exchange {
    struct http_answer answer;
    struct io_buffer out;
    unsigned answers;
};

static void reply_cb(struct request *request)
{
    struct exchange *exchange = request->door;
    FUZZ_CHECK(http_answer_write(&exchange->answer, request, &exchange->out) == 0);
    dispatch_answered(request);
    exchange->answers++;
    request_free(request);
}

static int write_page(struct exchange *exchange, struct request *request)
{
    const struct http_answer *answer = &exchange->answer;
    switch (request->page) {
    case REQUEST_OPENAPI:
        return http_answer_write_openapi(answer, request, &exchange->out);
    case REQUEST_METRICS:
        return http_answer_write_metrics(answer, request, SLICE("up 1\n"), &exchange->out);
    case REQUEST_OPTIONS:
        return http_answer_write_options(answer, request, &exchange->out);
    case REQUEST_NO_PAGE:
    case REQUEST__PAGES:
        break;
    }
    return STATUS_INTERNAL;
}

static void answer_without_call(struct exchange *exchange, struct request *request)
{
    FUZZ_CHECK(write_page(exchange, request) == 0);
    exchange->answers++;
    request_free(request);
}

/* As the connection does it. */
static void take_message(struct counter *counter, const struct http_message *message,
                         struct exchange *exchange)
{
    static const struct identity anybody = {.name = SLICE("anonymous"), .role = ROLE_WRITER};
    struct http_match match = {0};
    struct slice why = SLICE("there is no such path");
    struct request *request =
        request_create(&counter->dispatch, &anybody, http_request_arena_bytes(message->body.length),
                       reply_cb, exchange);
    FUZZ_CHECK(request != NULL);
    exchange->answer = (struct http_answer){
        .head_only = slice_equal(message->method, SLICE("HEAD")),
        .is_1_0 = message->is_1_0,
        .keep_alive = message->keep_alive,
        .wants_csv = http_accept_choose(&message->accept) == HTTP_MEDIA_CSV,
    };
    IGNORE(arena_copy(&request->arena, message->headers[HTTP_X_REQUEST_ID],
                      &exchange->answer.request_id)); /* as there */
    int rc = http_route_find(message->method, message->path, &match, exchange->answer.allow);
    bool is_call = match.route != NULL && match.route->call != BILLING__V1__REQUEST__CALL__NOT_SET;
    if (rc == 0 && is_call) {
        exchange->answer.route = match.route;
        rc = arena_copy(&request->arena, message->query, &exchange->answer.query);
        rc = rc < 0 ? rc : http_request_fill(request, &match, message, &why);
    }
    if (rc < 0) {
        dispatch_refuse(request, rc, "%.*s", (int)why.length, why.data);
    } else if (is_call) {
        dispatch_submit(&counter->dispatch, request);
    } else {
        request->page = match.route == NULL ? REQUEST_OPTIONS : match.route->page;
        answer_without_call(exchange, request);
    }
    counter_run(counter);
}

static void exchange_message(struct counter *counter, const struct http_message *message)
{
    struct exchange exchange = {0};
    take_message(counter, message, &exchange);
    FUZZ_CHECK(exchange.answers == 1);
    check_answer(io_buffer_rest(&exchange.out), exchange.answer.head_only);
    io_buffer_free(&exchange.out);
}

/* --- from bytes to messages ------------------------------------------------------------------- */

static void note(FILE *out, struct slice text)
{
    FUZZ_CHECK(fprintf(out, "%zu:", text.length) > 0);
    FUZZ_CHECK(fwrite(text.data, 1, text.length, out) == text.length);
}

static void note_message(FILE *out, const struct http_message *message)
{
    note(out, message->method);
    note(out, message->path);
    note(out, message->query);
    for (int i = 0; i < HTTP__HEADERS; i++) {
        note(out, message->headers[i]);
    }
    note(out, message->body);
    FUZZ_CHECK(fprintf(out, "%d %d %d %d\n", message->is_1_0, message->keep_alive,
                       message->expects_continue, (int)http_accept_choose(&message->accept)) > 0);
}

/* What comes of STREAM, fed PIECE bytes at a time: its messages, and how it ends.  Where COUNTER is
 * given each is answered.  Free it. */
static char *feed(struct slice stream, size_t piece, struct counter *counter)
{
    struct http_parser parser;
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    int status = STATUS_NEED_MORE;
    FUZZ_CHECK(out != NULL);
    http_parser_init(&parser, &limits);
    while (stream.length > 0 && (status == STATUS_NEED_MORE || status == 0)) {
        struct slice cut = {stream.data, piece < stream.length ? piece : stream.length};
        char *copy = fuzz_copy(cut);
        size_t used = 0;
        status = http_parser_feed(&parser, copy, cut.length, &used);
        FUZZ_CHECK(used <= cut.length && (status != STATUS_NEED_MORE || used == cut.length ||
                                          parser.stage == HTTP_STAGE_BODY));
        if (status == 0) {
            note_message(out, &parser.message);
            if (counter != NULL) {
                exchange_message(counter, &parser.message);
            }
            http_parser_reset(&parser);
        }
        free(copy);
        stream.data += used;
        stream.length -= used;
    }
    FUZZ_CHECK(status >= 0 || status == STATUS_NEED_MORE || parser.reason != NULL);
    FUZZ_CHECK(fprintf(out, "%d at %d\n", status, (int)parser.stage) > 0 && fclose(out) == 0);
    http_parser_reset(&parser);
    return text;
}

#define POST(path, body_bytes)                                                                     \
    "POST /api/v1/customers" path " HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"     \
    "Content-Length: " body_bytes "\r\n\r\n"

/* A customer, a record and an adjustment. */
static void furnish(struct counter *counter)
{
    static const char stream[] =
        POST("", "43") "{\"customer_name\": \"A\", \"external_id\": \"x0\"}" POST(
            "/external:x0/usage",
            "59") "{\"service\": \"S\", \"units_consumed\": 58, \"price_per_unit\": "
                  "1}" POST("/external:x0/adjustments",
                            "40") "{\"amount\": -0.005, \"reason\": \"goodwill\"}";
    free(feed((struct slice){stream, sizeof stream - 1}, SIZE_MAX, counter));
    FUZZ_CHECK(counter_info(counter).last_seq == 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct memory_store *memory = memory_store_create();
    struct fuzz_input input = {data, size};
    struct counter counter;
    size_t piece = 2 + fuzz_byte(&input) % 64;
    struct slice stream = fuzz_rest(&input);
    counter_open(&counter, memory_store_handle(memory),
                 INT64_C(1795345298000000) /* 2026-11-22T11:01:38Z */);
    furnish(&counter);
    char *whole = feed(stream, SIZE_MAX, &counter);
    char *bytes = feed(stream, 1, NULL);
    char *cut = feed(stream, piece, NULL);
    FUZZ_CHECK(strcmp(whole, bytes) == 0 && strcmp(whole, cut) == 0);
    free(whole);
    free(bytes);
    free(cut);
    counter_close(&counter);
    memory_store_destroy(memory);
    return 0;
}
