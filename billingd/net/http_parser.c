#include "billingd/net/http_parser.h"

#include "billingd/net/http_text.h"

static const char *const header_names[HTTP__HEADERS] = {
    [HTTP_HOST] = "Host",
    [HTTP_CONTENT_LENGTH] = "Content-Length",
    [HTTP_TRANSFER_ENCODING] = "Transfer-Encoding",
    [HTTP_CONTENT_TYPE] = "Content-Type",
    [HTTP_CONTENT_ENCODING] = "Content-Encoding",
    [HTTP_EXPECT] = "Expect",
    [HTTP_IDEMPOTENCY_KEY] = "Idempotency-Key",
    [HTTP_X_REQUEST_ID] = "X-Request-Id",
    [HTTP_AUTHORIZATION] = "Authorization",
    [HTTP_ORIGIN] = "Origin",
    [HTTP_CORS_METHOD] = "Access-Control-Request-Method",
    [HTTP_TRACEPARENT] = "traceparent",
    [HTTP_ACCEPT] = "Accept",
};

static const char two_ends[] = "the request may end in two places";

static int refuse(struct http_parser *parser, int status, const char *reason)
{
    parser->stage = HTTP_STAGE_REFUSED;
    parser->reason = reason;
    return status;
}

/* --- what llhttp says ------------------------------------------------------------------------- */

/* A callback's refusal: llhttp stops, and run_llhttp() finds it. */
static int stop(struct http_parser *parser, int status, const char *reason)
{
    parser->refusal = status;
    parser->reason = reason;
    return HPE_USER;
}

static int method_cb(llhttp_t *llhttp, const char *at, size_t length)
{
    struct http_parser *parser = llhttp->data;
    parser->message.method = (struct slice){at, length};
    return 0;
}

static int target_cb(llhttp_t *llhttp, const char *at, size_t length)
{
    struct http_parser *parser = llhttp->data;
    struct http_message *message = &parser->message;
    const char *mark = memchr(at, '?', length);
    message->path = (struct slice){at, mark == NULL ? length : (size_t)(mark - at)};
    if (mark != NULL) {
        message->query = (struct slice){mark + 1, length - message->path.length - 1};
    }
    return 0;
}

static int header_name_cb(llhttp_t *llhttp, const char *at, size_t length)
{
    struct http_parser *parser = llhttp->data;
    if (parser->headers_complete) {
        return stop(parser, STATUS_MALFORMED_HTTP, "there are trailers");
    }
    parser->header = HTTP_HOST;
    while (parser->header < HTTP__HEADERS &&
           !http_is_word((struct slice){at, length}, header_names[parser->header])) {
        parser->header++;
    }
    return 0;
}

static int header_value_cb(llhttp_t *llhttp, const char *at, size_t length)
{
    struct http_parser *parser = llhttp->data;
    if (parser->header == HTTP__HEADERS) {
        return 0;
    }
    if (parser->header == HTTP_ACCEPT) {
        http_accept_note(&parser->message.accept, (struct slice){at, length});
        return 0;
    }
    struct slice *value = &parser->message.headers[parser->header];
    if (value->data != NULL && parser->header == HTTP_TRACEPARENT) {
        *value = SLICE(""); /* not valid, and no reason to refuse */
        return 0;
    }
    if (value->data != NULL) {
        return stop(parser, STATUS_MALFORMED_HTTP,
                    "a header that may be there once is there twice");
    }
    *value = http_trim((struct slice){at, length});
    return 0;
}

static int headers_complete_cb(llhttp_t *llhttp)
{
    struct http_parser *parser = llhttp->data;
    parser->headers_complete = true;
    parser->message.is_1_0 = llhttp->http_minor == 0;
    parser->message.keep_alive = llhttp_should_keep_alive(llhttp) != 0;
    /* A server may pass over an Upgrade, and goes on in HTTP/1.1.  Java's client offers h2c with
     * each first request. */
    llhttp->upgrade = 0;
    return 0;
}

static int body_cb(llhttp_t *llhttp, const char *at, size_t length)
{
    struct http_parser *parser = llhttp->data;
    parser->arrived += length;
    if (!parser->skips_body && io_buffer_append(&parser->body, (struct slice){at, length}) < 0) {
        return stop(parser, STATUS_NO_MEMORY, "out of memory");
    }
    return 0;
}

static int extension_cb(llhttp_t *llhttp, const char *at, size_t length)
{
    (void)at;
    (void)length;
    return stop(llhttp->data, STATUS_MALFORMED_HTTP, "there are chunk extensions");
}

static int message_complete_cb(llhttp_t *llhttp)
{
    struct http_parser *parser = llhttp->data;
    parser->message_complete = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_method = method_cb,
    .on_url = target_cb,
    .on_header_field = header_name_cb,
    .on_header_value = header_value_cb,
    .on_headers_complete = headers_complete_cb,
    .on_body = body_cb,
    .on_chunk_extension_name = extension_cb,
    .on_message_complete = message_complete_cb,
};

/* Run llhttp over bytes that the lint let through. */
static int run_llhttp(struct http_parser *parser, struct slice bytes)
{
    llhttp_errno_t error = llhttp_execute(&parser->llhttp, bytes.data, bytes.length);
    if (parser->refusal != 0) {
        return refuse(parser, parser->refusal, parser->reason);
    }
    switch ((int)error) {
    case HPE_OK:
        return 0;
    case HPE_PAUSED: /* by message_complete_cb() */
        return llhttp_get_error_pos(&parser->llhttp) == bytes.data + bytes.length
                   ? 0
                   : refuse(parser, STATUS_MALFORMED_HTTP, two_ends);
    case HPE_INVALID_METHOD:
        return refuse(parser, STATUS_NOT_IMPLEMENTED, "the method is not known");
    case HPE_INVALID_VERSION:
        return refuse(parser, STATUS_HTTP_VERSION, "only HTTP/1.0 and HTTP/1.1 are spoken here");
    default:
        return refuse(parser, STATUS_MALFORMED_HTTP, "the request is not acceptable HTTP/1.1");
    }
}

/* Whether llhttp agrees that the request is, or is not, WHOLE.  Returns 0 where it is,
 * STATUS_NEED_MORE where it is not, or the refusal. */
static int compare_ends(struct http_parser *parser, bool whole)
{
    if (parser->message_complete != whole) {
        return refuse(parser, STATUS_MALFORMED_HTTP, two_ends);
    }
    return whole ? 0 : STATUS_NEED_MORE;
}

/* --- what the headers mean -------------------------------------------------------------------- */

static bool is_sane_host(struct slice host)
{
    for (size_t i = 0; i < host.length; i++) {
        unsigned char c = (unsigned char)host.data[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!plain && (c == '\0' || strchr("-._~[]:%", c) == NULL)) {
            return false;
        }
    }
    return host.length > 0;
}

static int check_host(struct http_parser *parser)
{
    struct slice host = parser->message.headers[HTTP_HOST];
    if (host.data == NULL && parser->message.is_1_0) {
        return 0; /* load balancers probe like this */
    }
    return host.data != NULL && is_sane_host(host)
               ? 0
               : refuse(parser, STATUS_MALFORMED_HTTP, "there is no acceptable Host header");
}

static int check_target(struct http_parser *parser)
{
    const struct http_message *message = &parser->message;
    if (message->path.length > 0 && message->path.data[0] == '/') {
        return 0;
    }
    bool server = slice_equal(message->path, SLICE("*")) && message->query.data == NULL &&
                  slice_equal(message->method, SLICE("OPTIONS"));
    return server ? 0
                  : refuse(parser, STATUS_MALFORMED_HTTP, "only OPTIONS has '*' for its target");
}

static int check_encoding(struct http_parser *parser)
{
    const struct http_message *message = &parser->message;
    struct slice encoding = message->headers[HTTP_TRANSFER_ENCODING];
    if (encoding.data == NULL) {
        return 0;
    }
    if (message->headers[HTTP_CONTENT_LENGTH].data != NULL) {
        return refuse(parser, STATUS_MALFORMED_HTTP,
                      "there are both Content-Length and Transfer-Encoding");
    }
    if (message->is_1_0) {
        return refuse(parser, STATUS_MALFORMED_HTTP, "HTTP/1.0 has no Transfer-Encoding");
    }
    if (!http_is_word(encoding, "chunked")) {
        return refuse(parser, STATUS_NOT_IMPLEMENTED, "the only Transfer-Encoding is chunked");
    }
    parser->chunked = true;
    return 0;
}

static bool is_number(struct slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
    }
    return text.length > 0;
}

/* llhttp refuses what does not fit its 64 bits. */
static int check_length(struct http_parser *parser)
{
    struct slice text = parser->message.headers[HTTP_CONTENT_LENGTH];
    uint64_t length = parser->llhttp.content_length;
    if (text.data == NULL) {
        return 0;
    }
    if (!is_number(text)) {
        return refuse(parser, STATUS_MALFORMED_HTTP, "Content-Length is not a number");
    }
    if (length > parser->limits->body_bytes_max) {
        return refuse(parser, STATUS_TOO_LARGE, "the body is too large");
    }
    parser->length = length;
    return 0;
}

static int check_expect(struct http_parser *parser)
{
    struct slice expect = parser->message.headers[HTTP_EXPECT];
    if (expect.data == NULL || parser->message.is_1_0) {
        return 0;
    }
    parser->message.expects_continue = true;
    return http_is_word(expect, "100-continue")
               ? 0
               : refuse(parser, STATUS_EXPECTATION_FAILED, "the only expectation is 100-continue");
}

static int check_headers(struct http_parser *parser)
{
    static int (*const checks[])(struct http_parser *) = {
        check_host, check_target, check_encoding, check_length, check_expect,
    };
    int rc = 0;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0] && rc == 0; i++) {
        rc = checks[i](parser);
    }
    return rc;
}

/* --- stages ----------------------------------------------------------------------------------- */

static int finish(struct http_parser *parser)
{
    parser->stage = HTTP_STAGE_WHOLE;
    parser->message.body = io_buffer_rest(&parser->body);
    return 0;
}

/* llhttp sees a head in one piece, so each of its spans is one, and stays where it is. */
static int end_head(struct http_parser *parser)
{
    int rc = run_llhttp(parser, io_buffer_rest(&parser->head_text));
    if (rc == 0) {
        rc = check_headers(parser);
    }
    if (rc < 0) {
        return rc;
    }
    parser->stage = HTTP_STAGE_BODY;
    return compare_ends(parser, !parser->chunked && parser->length == 0);
}

static int feed_head(struct http_parser *parser, struct slice bytes, size_t *ret_used)
{
    const char *reason = NULL;
    int rc =
        http_head_check(&parser->head, parser->limits, bytes.data, bytes.length, ret_used, &reason);
    if (parser->head.state > HTTP_HEAD_BLANK_LF) {
        parser->stage = HTTP_STAGE_HEAD;
    }
    if (rc != 0 && rc != STATUS_NEED_MORE) {
        return refuse(parser, rc, reason);
    }
    if (io_buffer_append(&parser->head_text, (struct slice){bytes.data, *ret_used}) < 0) {
        return refuse(parser, STATUS_NO_MEMORY, "out of memory");
    }
    return rc == 0 ? end_head(parser) : rc;
}

static int feed_chunks(struct http_parser *parser, struct slice bytes, size_t *ret_used)
{
    const char *reason = NULL;
    int rc = http_chunks_check(&parser->chunks, parser->limits->body_bytes_max, bytes.data,
                               bytes.length, ret_used, &reason);
    if (rc != 0 && rc != STATUS_NEED_MORE) {
        return refuse(parser, rc, reason);
    }
    int agreed = run_llhttp(parser, (struct slice){bytes.data, *ret_used});
    return agreed < 0 ? agreed : compare_ends(parser, rc == 0);
}

static int feed_length(struct http_parser *parser, struct slice bytes, size_t *ret_used)
{
    uint64_t left = parser->length - parser->arrived;
    size_t used = bytes.length < left ? bytes.length : (size_t)left;
    *ret_used = used;
    int rc = run_llhttp(parser, (struct slice){bytes.data, used});
    return rc < 0 ? rc : compare_ends(parser, used == left);
}

int http_parser_feed(struct http_parser *parser, const char *data, size_t length, size_t *ret_used)
{
    size_t at = 0;
    int rc = STATUS_NEED_MORE;
    while (at < length && rc == STATUS_NEED_MORE) {
        struct slice bytes = {data + at, length - at};
        size_t used = 0;
        if (parser->stage == HTTP_STAGE_IDLE || parser->stage == HTTP_STAGE_HEAD) {
            rc = feed_head(parser, bytes, &used);
            length = parser->stage == HTTP_STAGE_BODY ? at + used : length; /* no further */
        } else if (parser->chunked) {
            rc = feed_chunks(parser, bytes, &used);
        } else {
            rc = feed_length(parser, bytes, &used);
        }
        at += used;
    }
    *ret_used = at;
    return rc == 0 ? finish(parser) : rc;
}

bool http_parser_awaits_continue(const struct http_parser *parser)
{
    return parser->stage == HTTP_STAGE_BODY && parser->message.expects_continue &&
           parser->arrived == 0 && parser->chunks.state == HTTP_CHUNKS_SIZE &&
           parser->chunks.digits == 0;
}

void http_parser_skip_body(struct http_parser *parser)
{
    parser->skips_body = true;
    io_buffer_free(&parser->body);
}

void http_parser_init(struct http_parser *parser, const struct http_limits *limits)
{
    *parser = (struct http_parser){.limits = limits};
    llhttp_init(&parser->llhttp, HTTP_REQUEST, &settings);
    parser->llhttp.data = parser;
}

void http_parser_reset(struct http_parser *parser)
{
    io_buffer_free(&parser->head_text);
    io_buffer_free(&parser->body);
    http_parser_init(parser, parser->limits);
}
