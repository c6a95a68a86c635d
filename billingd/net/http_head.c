#include "billingd/net/http_head.h"

#include "billingd/net/http_text.h"

enum {
    BLANK_BYTES_MAX = 4,   /* two empty lines: some old clients send one behind a body */
    METHOD_BYTES_MAX = 32, /* nobody's is longer */
};

static const char version[] = "HTTP/1.1"; /* or .0 */

static const char *const reasons[] = {
    [HTTP_HEAD_BLANK] = "a request does not begin like this",
    [HTTP_HEAD_BLANK_LF] = "CR without LF before a request",
    [HTTP_HEAD_METHOD] = "the method is not a token with one space behind it",
    [HTTP_HEAD_TARGET] = "the target is not a path of visible ASCII with one space behind it",
    [HTTP_HEAD_VERSION] = "the request line does not end in HTTP/1.0 or HTTP/1.1",
    [HTTP_HEAD_LINE_LF] = "CR without LF",
    [HTTP_HEAD_LINE_START] = "a header line has no name, or is folded",
    [HTTP_HEAD_NAME] = "a header name is not a token with a colon behind it",
    [HTTP_HEAD_VALUE] = "a control byte in a header's value, or LF without CR",
    [HTTP_HEAD_END_LF] = "CR without LF at the end of the head",
};

static int go(struct http_head *head, enum http_head_state state)
{
    head->state = state;
    head->part = 0;
    return STATUS_NEED_MORE;
}

/* --- the request line ------------------------------------------------------------------------- */

static int step_blank(struct http_head *head, unsigned char byte)
{
    if (head->state == HTTP_HEAD_BLANK && http_is_token(byte)) {
        head->state = HTTP_HEAD_METHOD;
        head->part = 1;
        return STATUS_NEED_MORE;
    }
    bool expected = byte == (head->state == HTTP_HEAD_BLANK ? '\r' : '\n');
    head->part++;
    if (!expected || head->part > BLANK_BYTES_MAX) {
        return STATUS_MALFORMED_HTTP;
    }
    head->state = head->state == HTTP_HEAD_BLANK ? HTTP_HEAD_BLANK_LF : HTTP_HEAD_BLANK;
    return STATUS_NEED_MORE;
}

static int step_method(struct http_head *head, unsigned char byte)
{
    if (byte == ' ') {
        return go(head, HTTP_HEAD_TARGET);
    }
    if (!http_is_token(byte)) {
        return STATUS_MALFORMED_HTTP;
    }
    head->part++;
    return head->part > METHOD_BYTES_MAX ? STATUS_NOT_IMPLEMENTED : STATUS_NEED_MORE;
}

/* A fragment is the client's own business and never sent. */
static int step_target(struct http_head *head, const struct http_limits *limits, unsigned char byte)
{
    if (byte == ' ' && head->part > 0) {
        return go(head, HTTP_HEAD_VERSION);
    }
    if (byte <= ' ' || byte > '~' || byte == '#' ||
        (head->part == 0 && byte != '/' && byte != '*')) {
        return STATUS_MALFORMED_HTTP;
    }
    head->part++;
    return head->part > limits->target_bytes_max ? STATUS_URI_TOO_LONG : STATUS_NEED_MORE;
}

static int step_version(struct http_head *head, unsigned char byte)
{
    enum { PREFIX = 5, WHOLE = sizeof version - 1 };
    if (head->part == WHOLE && byte == '\r') {
        return go(head, HTTP_HEAD_LINE_LF);
    }
    if (head->part < WHOLE &&
        (byte == (unsigned char)version[head->part] || (head->part == WHOLE - 1 && byte == '0'))) {
        head->part++;
        return STATUS_NEED_MORE;
    }
    bool other = head->part >= PREFIX && byte >= '0' && byte <= '9';
    return other ? STATUS_HTTP_VERSION : STATUS_MALFORMED_HTTP;
}

/* --- header lines ----------------------------------------------------------------------------- */

static int step_line_start(struct http_head *head, const struct http_limits *limits,
                           unsigned char byte)
{
    if (byte == '\r') {
        return go(head, HTTP_HEAD_END_LF);
    }
    if (!http_is_token(byte)) {
        return STATUS_MALFORMED_HTTP;
    }
    head->headers++;
    return head->headers > limits->headers_max ? STATUS_HEAD_TOO_LARGE : go(head, HTTP_HEAD_NAME);
}

static int step_name(struct http_head *head, unsigned char byte)
{
    if (byte == ':') {
        return go(head, HTTP_HEAD_VALUE);
    }
    return http_is_token(byte) ? STATUS_NEED_MORE : STATUS_MALFORMED_HTTP;
}

static int step_value(struct http_head *head, unsigned char byte)
{
    if (byte == '\r') {
        return go(head, HTTP_HEAD_LINE_LF);
    }
    bool text = byte == '\t' || (byte >= ' ' && byte != 0x7F);
    return text ? STATUS_NEED_MORE : STATUS_MALFORMED_HTTP;
}

/* --- all of it -------------------------------------------------------------------------------- */

static int step(struct http_head *head, const struct http_limits *limits, unsigned char byte)
{
    switch (head->state) {
    case HTTP_HEAD_BLANK:
    case HTTP_HEAD_BLANK_LF:
        return step_blank(head, byte);
    case HTTP_HEAD_METHOD:
        return step_method(head, byte);
    case HTTP_HEAD_TARGET:
        return step_target(head, limits, byte);
    case HTTP_HEAD_VERSION:
        return step_version(head, byte);
    case HTTP_HEAD_LINE_LF:
        return byte == '\n' ? go(head, HTTP_HEAD_LINE_START) : STATUS_MALFORMED_HTTP;
    case HTTP_HEAD_LINE_START:
        return step_line_start(head, limits, byte);
    case HTTP_HEAD_NAME:
        return step_name(head, byte);
    case HTTP_HEAD_VALUE:
        return step_value(head, byte);
    case HTTP_HEAD_END_LF:
        return byte == '\n' ? 0 : STATUS_MALFORMED_HTTP;
    }
    return STATUS_MALFORMED_HTTP;
}

static const char *explain(const struct http_head *head, int status)
{
    switch (status) {
    case STATUS_NOT_IMPLEMENTED:
        return "the method is not known";
    case STATUS_URI_TOO_LONG:
        return "the target is too long";
    case STATUS_HTTP_VERSION:
        return "only HTTP/1.0 and HTTP/1.1 are spoken here";
    case STATUS_HEAD_TOO_LARGE:
        return "the head has too many bytes or headers";
    default:
        return reasons[head->state];
    }
}

int http_head_check(struct http_head *head, const struct http_limits *limits, const char *data,
                    size_t length, size_t *ret_used, const char **reterr)
{
    int rc = STATUS_NEED_MORE;
    size_t at = 0;
    while (at < length && rc == STATUS_NEED_MORE) {
        rc = step(head, limits, (unsigned char)data[at]);
        bool begun = head->state > HTTP_HEAD_BLANK_LF;
        head->bytes += begun;
        if (head->bytes > limits->head_bytes_max && rc == STATUS_NEED_MORE) {
            rc = STATUS_HEAD_TOO_LARGE;
        }
        at += rc == STATUS_NEED_MORE || rc == 0;
    }
    *ret_used = at;
    if (rc != 0 && rc != STATUS_NEED_MORE) {
        *reterr = explain(head, rc);
    }
    return rc;
}
