/* Requests and answers of the HTTP shim: POST on a connection that is kept alive. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bench/fail.h"
#include "bench/traffic.h"
#include "proto/timestamp.h"

enum {
    RECORD_TEXT_BYTES = 512,
    HEAD_BYTES = 256,
};

static int http_connect(const char *address)
{
    char host[64];
    struct sockaddr_in peer = {.sin_family = AF_INET};
    const char *colon = strrchr(address, ':');
    size_t bytes = colon == NULL ? sizeof host : (size_t)(colon - address);
    if (bytes >= sizeof host) {
        fail("no HOST:PORT: %s", address);
    }
    memcpy(host, address, bytes);
    host[bytes] = '\0';
    peer.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
    if (inet_pton(AF_INET, host, &peer.sin_addr) != 1) {
        fail("no address in numbers: %s", host);
    }
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(fd >= 0 && connect(fd, (struct sockaddr *)&peer, sizeof peer) == 0, address);
    check(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0, "TCP_NODELAY");
    return fd;
}

/* RECORD as JSON to BODY, with its customer where CUSTOMER is not NULL. */
static void put_record(const struct load_record *record, const struct slice *customer,
                       struct buffer *body)
{
    char occurred_at[TIMESTAMP_TEXT_MAX];
    char units[LOAD_UNITS_BYTES];
    const struct load_service *service = &load_services[record->service];
    size_t units_bytes = load_units_print(record, units);
    IGNORE(timestamp_print(record->occurred_at_us, occurred_at) == 0); /* NUL behind it */
    uint8_t *at = buffer_space(body, RECORD_TEXT_BYTES);
    int n = snprintf(
        (char *)at, RECORD_TEXT_BYTES,
        "{%s%.*s%s\"service\": \"%s\", \"units_consumed\": %.*s, "
        "\"price_per_unit\": %s, \"occurred_at\": \"%s\", \"request_id\": \"%.*s\"}",
        customer == NULL ? "" : "\"customer_id\": \"", customer == NULL ? 0 : (int)customer->length,
        customer == NULL ? "" : customer->data, customer == NULL ? "" : "\", ", service->name.data,
        (int)units_bytes, units, service->price.data, occurred_at, LOAD_ID_BYTES, record->id);
    check(n > 0 && n < RECORD_TEXT_BYTES, "a record's text");
    body->end += (size_t)n;
}

static void put_head(struct buffer *out, struct slice customer, size_t body_bytes)
{
    bool batched = customer.length == 0;
    uint8_t *at = buffer_space(out, HEAD_BYTES);
    int n = snprintf((char *)at, HEAD_BYTES,
                     "POST /api/v1/%s%.*s%s HTTP/1.1\r\nHost: localhost\r\n"
                     "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                     batched ? "" : "customers/", (int)customer.length,
                     batched ? "" : customer.data, batched ? "usage/batch" : "/usage", body_bytes);
    check(n > 0 && n < HEAD_BYTES, "a request's head");
    out->end += (size_t)n;
}

static void http_ask(struct traffic *traffic, uint64_t call, uint64_t n, struct buffer *out)
{
    struct load_record record;
    struct buffer *body = &traffic->scratch;
    struct slice customer = {0};
    (void)call; /* one at a time */
    body->start = body->end = 0;
    if (traffic->batched) {
        buffer_put(body, SLICE("{\"usage\": ["));
        for (uint64_t i = 0; i < n; i++) {
            buffer_put(body, i == 0 ? SLICE("") : SLICE(",\n"));
            load_next(&traffic->load, &record);
            put_record(&record, &traffic->customers[record.customer], body);
        }
        buffer_put(body, SLICE("]}"));
    } else {
        load_next(&traffic->load, &record);
        customer = traffic->customers[record.customer];
        put_record(&record, NULL, body);
    }
    put_head(out, customer, body->end);
    buffer_put(out, (struct slice){(const char *)body->data, body->end});
}

/* How often NEEDLE is in TEXT. */
static uint64_t count(struct slice text, struct slice needle)
{
    uint64_t n = 0;
    const char *end = text.data + text.length;
    for (const char *at = text.data;
         (at = memmem(at, (size_t)(end - at), needle.data, needle.length)) != NULL;
         at += needle.length) {
        n++;
    }
    return n;
}

static size_t content_length(struct slice head)
{
    struct slice name = SLICE("\r\nContent-Length: ");
    const char *at = memmem(head.data, head.length, name.data, name.length);
    if (at == NULL) {
        fail("an answer without Content-Length");
    }
    return strtoul(at + name.length, NULL, 10);
}

static size_t http_answer(const uint8_t *data, size_t bytes, struct traffic_answer *ret)
{
    const char *text = (const char *)data;
    const char *head_end = memmem(text, bytes, "\r\n\r\n", 4);
    if (head_end == NULL) {
        return 0;
    }
    size_t head_bytes = (size_t)(head_end - text) + 4;
    size_t body_bytes = content_length((struct slice){text, head_bytes});
    if (bytes < head_bytes + body_bytes) {
        return 0;
    }
    struct slice body = {text + head_bytes, body_bytes};
    *ret = (struct traffic_answer){0};
    if (strncmp(text, "HTTP/1.1 201", 12) == 0) {
        ret->recorded = 1;
    } else if (strncmp(text, "HTTP/1.1 200", 12) == 0) {
        ret->recorded = count(body, SLICE("\"status\": \"recorded\""));
        ret->refused = count(body, SLICE("\"status\": \"")) - ret->recorded;
    } else {
        ret->refused = 1;
    }
    return head_bytes + body_bytes;
}

const struct traffic_door traffic_http = {http_connect, http_ask, http_answer};
