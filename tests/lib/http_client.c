#include "tests/lib/http_client.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "tests/lib/testkit.h"

enum {
    RECEIVE_BYTES = 64 * 1024,
    LENGTH_DIGITS_MAX = 15, /* of a body's length: far beyond any answer */
};

/* --- the connection --------------------------------------------------------------------------- */

bool http_open(struct http_conn *conn, const char *address)
{
    *conn = (struct http_conn){.fd = sock_connect(testkit_format("tcp:%s", address))};
    return conn->fd >= 0;
}

void http_close(struct http_conn *conn)
{
    if (conn->fd >= 0) {
        close(conn->fd);
    }
    free(conn->data);
    *conn = (struct http_conn){.fd = -1};
}

enum sock_result http_send(struct http_conn *conn, const void *data, size_t bytes)
{
    return sock_send(conn->fd, data, bytes, testkit_now_ms() + SOCK_PATIENCE_MS, NULL);
}

/* Receive once, behind what is there. */
static enum sock_result feed(struct http_conn *conn, int64_t deadline_ms)
{
    if (conn->capacity - conn->length < RECEIVE_BYTES) {
        conn->capacity = conn->capacity * 2 + RECEIVE_BYTES;
        conn->data = realloc(conn->data, conn->capacity);
        if (conn->data == NULL) {
            abort();
        }
    }
    size_t got;
    enum sock_result result =
        sock_receive(conn->fd, conn->data + conn->length, RECEIVE_BYTES, deadline_ms, &got);
    if (result == SOCK_OK) {
        conn->length += got;
    }
    return result;
}

/* As feed(), in the middle of an answer, where an end is no end. */
static enum sock_result feed_rest(struct http_conn *conn, int64_t deadline_ms)
{
    enum sock_result result = feed(conn, deadline_ms);
    return result == SOCK_CLOSED ? SOCK_GARBAGE : result;
}

static void drop(struct http_conn *conn, size_t bytes)
{
    memmove(conn->data, conn->data + bytes, conn->length - bytes);
    conn->length -= bytes;
}

/* A copy of LENGTH bytes at DATA with a NUL behind them. */
static char *copy(const char *data, size_t length)
{
    char *result = malloc(length + 1);
    if (result == NULL) {
        abort();
    }
    if (length > 0) {
        memcpy(result, data, length);
    }
    result[length] = '\0';
    return result;
}

/* --- the head --------------------------------------------------------------------------------- */

/* "HTTP/1.1 201 Created" */
static bool parse_status_line(const char *line, int *ret_status)
{
    static const char version[] = "HTTP/1.1 ";
    const char *at = line + sizeof version - 1;
    int status = 0;
    if (strncmp(line, version, sizeof version - 1) != 0) {
        return false;
    }
    for (int i = 0; i < 3; i++) {
        if (!isdigit((unsigned char)at[i])) {
            return false;
        }
        status = status * 10 + (at[i] - '0');
    }
    *ret_status = status;
    return status >= 100 && at[3] == ' ';
}

/* "Name: value", which is cut in two. */
static bool parse_header(char *line, struct http_header *ret_header)
{
    size_t name_bytes = strspn(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789!#$%&'*+-.^_`|~");
    if (name_bytes == 0 || line[name_bytes] != ':') {
        return false;
    }
    line[name_bytes] = '\0';
    ret_header->name = line;
    ret_header->value = line + name_bytes + 1;
    ret_header->value += strspn(ret_header->value, " \t");
    return true;
}

/* REPLY->head, BYTES of lines that each end in CRLF; the lines are cut apart. */
static bool parse_head(struct http_reply *reply, size_t bytes)
{
    for (size_t at = 0; at < bytes;) {
        char *line = reply->head + at;
        size_t length = strcspn(line, "\r\n");
        if (memcmp(line + length, "\r\n", 2) != 0) {
            return false; /* half a line end, or a NUL */
        }
        line[length] = '\0';
        if (at == 0) {
            if (!parse_status_line(line, &reply->status)) {
                return false;
            }
        } else if (reply->n_headers == HTTP_HEADERS_MAX ||
                   !parse_header(line, &reply->headers[reply->n_headers++])) {
            return false;
        }
        at += length + 2; /* NOLINT(clang-analyzer-unix.Malloc): reply->head still has it */
    }
    const char *connection = http_reply_header(reply, "Connection");
    reply->will_close = connection != NULL && strcasecmp(connection, "close") == 0;
    return true;
}

static enum sock_result receive_head(struct http_conn *conn, int64_t deadline_ms,
                                     struct http_reply *reply)
{
    for (;;) {
        const char *end = conn->length > 0 ? memmem(conn->data, conn->length, "\r\n\r\n", 4) : NULL;
        if (end != NULL) {
            size_t bytes = (size_t)(end - conn->data) + 2;
            reply->head = copy(conn->data, bytes);
            drop(conn, bytes + 2);
            return parse_head(reply, bytes) ? SOCK_OK : SOCK_GARBAGE;
        }
        enum sock_result result =
            conn->length > 0 ? feed_rest(conn, deadline_ms) : feed(conn, deadline_ms);
        if (result != SOCK_OK) {
            return result;
        }
    }
}

/* --- the body --------------------------------------------------------------------------------- */

/* The number in TEXT, which is nothing else, in BASE 10 or 16. */
static bool parse_length(const char *text, int base, size_t *ret_length)
{
    size_t digits = strspn(text, base == 10 ? "0123456789" : "0123456789abcdefABCDEF");
    if (digits == 0 || digits > LENGTH_DIGITS_MAX || text[digits] != '\0') {
        return false;
    }
    *ret_length = strtoull(text, NULL, base);
    return true;
}

/* Wait until LENGTH bytes are there. */
static enum sock_result await_bytes(struct http_conn *conn, size_t length, int64_t deadline_ms)
{
    enum sock_result result = SOCK_OK;
    while (conn->length < length && result == SOCK_OK) {
        result = feed_rest(conn, deadline_ms);
    }
    return result;
}

static enum sock_result receive_sized(struct http_conn *conn, size_t length, int64_t deadline_ms,
                                      struct http_reply *reply)
{
    enum sock_result result = await_bytes(conn, length, deadline_ms);
    if (result == SOCK_OK) {
        reply->body = copy(conn->data, length);
        reply->body_bytes = length;
        drop(conn, length);
    }
    return result;
}

/* The line that begins a chunk: its length alone. */
static enum sock_result receive_chunk_length(struct http_conn *conn, int64_t deadline_ms,
                                             size_t *ret_length)
{
    for (;;) {
        const char *end = conn->length > 0 ? memmem(conn->data, conn->length, "\r\n", 2) : NULL;
        if (end != NULL) {
            char line[LENGTH_DIGITS_MAX + 2] = {0};
            size_t bytes = (size_t)(end - conn->data);
            memcpy(line, conn->data, bytes < sizeof line ? bytes : sizeof line - 1);
            drop(conn, bytes + 2);
            return parse_length(line, 16, ret_length) ? SOCK_OK : SOCK_GARBAGE;
        }
        enum sock_result result = feed_rest(conn, deadline_ms);
        if (result != SOCK_OK) {
            return result;
        }
    }
}

/* Chunk after chunk, without extensions or trailers: the daemon has no use for either. */
static enum sock_result receive_chunked(struct http_conn *conn, int64_t deadline_ms,
                                        struct http_reply *reply)
{
    size_t length;
    reply->body = copy("", 0);
    do {
        enum sock_result result = receive_chunk_length(conn, deadline_ms, &length);
        if (result == SOCK_OK) {
            result = await_bytes(conn, length + 2, deadline_ms);
        }
        if (result != SOCK_OK) {
            return result;
        }
        if (memcmp(conn->data + length, "\r\n", 2) != 0) {
            return SOCK_GARBAGE;
        }
        reply->body = realloc(reply->body, reply->body_bytes + length + 1);
        if (reply->body == NULL) {
            abort();
        }
        memcpy(reply->body + reply->body_bytes, conn->data, length);
        reply->body_bytes += length;
        reply->body[reply->body_bytes] = '\0';
        drop(conn, length + 2);
    } while (length > 0);
    return SOCK_OK;
}

static enum sock_result receive_body(struct http_conn *conn, int64_t deadline_ms,
                                     struct http_reply *reply)
{
    const char *length_text = http_reply_header(reply, "Content-Length");
    const char *coding = http_reply_header(reply, "Transfer-Encoding");
    size_t length = 0;
    if ((length_text != NULL && coding != NULL) ||
        (length_text != NULL && !parse_length(length_text, 10, &length)) ||
        (coding != NULL && strcmp(coding, "chunked") != 0)) {
        return SOCK_GARBAGE;
    }
    reply->chunked = coding != NULL;
    if (conn->no_body || reply->status < 200 || reply->status == 204 || reply->status == 304) {
        return receive_sized(conn, 0, deadline_ms, reply);
    }
    if (reply->chunked) {
        return receive_chunked(conn, deadline_ms, reply);
    }
    /* A body that only the connection's end ends could be cut without anybody seeing it. */
    return length_text == NULL ? SOCK_GARBAGE : receive_sized(conn, length, deadline_ms, reply);
}

/* --- whole answers ---------------------------------------------------------------------------- */

enum sock_result http_receive(struct http_conn *conn, int timeout_ms, struct http_reply *ret_reply)
{
    int64_t deadline_ms = testkit_now_ms() + timeout_ms;
    enum sock_result result;
    do {
        struct http_reply reply = {0};
        result = receive_head(conn, deadline_ms, &reply);
        if (result == SOCK_OK) {
            result = receive_body(conn, deadline_ms, &reply);
        }
        if (result != SOCK_OK || reply.status == 100) {
            http_reply_done(&reply);
        } else {
            *ret_reply = reply;
            conn->no_body = false;
            return SOCK_OK;
        }
    } while (result == SOCK_OK);
    return result;
}

void http_reply_done(struct http_reply *reply)
{
    free(reply->head);
    free(reply->body);
    *reply = (struct http_reply){0};
}

const char *http_reply_header(const struct http_reply *reply, const char *name)
{
    for (size_t i = 0; i < reply->n_headers; i++) {
        if (strcasecmp(reply->headers[i].name, name) == 0) {
            return reply->headers[i].value;
        }
    }
    return NULL;
}

/* HEADERS as lines, and whether Content-Type is among them. */
static const char *header_lines(const char *const *headers, bool *ret_typed)
{
    const char *lines = "";
    *ret_typed = false;
    for (; headers != NULL && *headers != NULL; headers++) {
        lines = testkit_format("%s%s\r\n", lines, *headers);
        *ret_typed |= strncasecmp(*headers, "Content-Type:", strlen("Content-Type:")) == 0;
    }
    return lines;
}

void http_call(struct http_conn *conn, const char *method, const char *target,
               const char *const *headers, const char *body, struct http_reply *ret_reply)
{
    bool typed;
    const char *lines = header_lines(headers, &typed);
    const char *about_body = "";
    if (body != NULL) {
        about_body =
            testkit_format("%sContent-Length: %zu\r\n",
                           typed ? "" : "Content-Type: application/json\r\n", strlen(body));
    }
    const char *request = testkit_format("%s %s HTTP/1.1\r\nHost: localhost\r\n%s%s\r\n%s", method,
                                         target, lines, about_body, body == NULL ? "" : body);
    conn->no_body = strcmp(method, "HEAD") == 0;
    /* A refusal may come, and the connection close, before all is sent: the answer decides. */
    enum sock_result sent = http_send(conn, request, strlen(request));
    enum sock_result result = http_receive(conn, SOCK_PATIENCE_MS, ret_reply);
    if (result != SOCK_OK) {
        testkit_fail("%s %s: sent: %s, answered: %s", method, target, sock_result_name(sent),
                     sock_result_name(result));
    }
}

void http_once(const char *address, const char *method, const char *target,
               const char *const *headers, const char *body, struct http_reply *ret_reply)
{
    struct http_conn conn;
    if (!http_open(&conn, address)) {
        testkit_fail("cannot connect to %s: %s", address, strerror(errno));
    }
    http_call(&conn, method, target, headers, body, ret_reply);
    http_close(&conn);
}
