#include "billingd/report/event.h"

#include <inttypes.h>
#include <stdio.h>

#include "billingd/base/assert.h"
#include "proto/status.h"
#include "proto/timestamp.h"

/* --- out of the log --------------------------------------------------------------------------- */

static void keep(char *to, size_t bytes, struct slice text)
{
    size_t length = text.length < bytes ? text.length : bytes - 1;
    memcpy(to, text.length > 0 ? text.data : "", length);
    to[length] = '\0';
}

static bool is_named(const struct log_field *field, const char *name)
{
    return field->type == LOG_FIELD_SLICE && strcmp(field->name, name) == 0;
}

void report_event_make(struct report_event *event, enum log_area area, const char *message,
                       const struct log_field *fields, int64_t time_us)
{
    *event = (struct report_event){.time_us = time_us, .area = area};
    keep(event->message, sizeof event->message, slice_of(message));
    for (const struct log_field *field = fields; field->name != NULL; field++) {
        if (is_named(field, "method")) {
            keep(event->method, sizeof event->method, field->text);
        } else if (is_named(field, "code") || is_named(field, "outcome")) {
            keep(event->code, sizeof event->code, field->text);
        } else if (is_named(field, "file")) {
            keep(event->place, sizeof event->place, field->text);
        } else if (is_named(field, "traceparent")) {
            keep(event->trace, sizeof event->trace, field->text);
        }
    }
}

/* FNV-1a, with the end of each word. */
static uint64_t hash(uint64_t seed, const char *word)
{
    for (size_t i = 0; i <= strlen(word); i++) {
        seed = (seed ^ (unsigned char)word[i]) * UINT64_C(0x100000001B3);
    }
    return seed;
}

uint64_t report_event_fingerprint(const struct report_event *event)
{
    uint64_t ret = hash(UINT64_C(0xCBF29CE484222325), event->message);
    ret = hash(ret, log_area_name(event->area));
    ret = hash(ret, event->method);
    ret = hash(ret, event->code);
    return hash(ret, event->place);
}

/* --- into JSON -------------------------------------------------------------------------------- */

struct text {
    char *data;
    size_t length;
    size_t room;
};

static void put_bytes(struct text *t, const char *bytes, size_t length)
{
    INVARIANT(length <= t->room - t->length); /* every part is bounded */
    memcpy(t->data + t->length, bytes, length);
    t->length += length;
}

static void put(struct text *t, const char *text)
{
    put_bytes(t, text, strlen(text));
}

/* TEXT in quotes: words of the program, of which none needs more than this. */
static void put_string(struct text *t, const char *text)
{
    put(t, "\"");
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < ' ' || c >= 0x7F) {
            put(t, "?");
            continue;
        }
        if (c == '"' || c == '\\') {
            put(t, "\\");
        }
        put_bytes(t, text, 1);
    }
    put(t, "\"");
}

/* The member NAME, unless VALUE is empty, with a comma before it. */
static void put_member(struct text *t, const char *name, const char *value)
{
    if (*value != '\0') {
        put(t, ",\"");
        put(t, name);
        put(t, "\":");
        put_string(t, value);
    }
}

static void put_fingerprint(struct text *t, const struct report_event *event)
{
    put(t, ",\"fingerprint\":[");
    put_string(t, event->message);
    put(t, ",");
    put_string(t, event->method);
    put(t, ",");
    put_string(t, event->code);
    put(t, ",");
    put_string(t, event->place);
    put(t, "]");
}

static void put_tags(struct text *t, const struct report_event *event)
{
    put(t, ",\"tags\":{\"area\":");
    put_string(t, log_area_name(event->area));
    put_member(t, "method", event->method);
    put_member(t, "code", event->code);
    put_member(t, "place", event->place);
    put(t, "}");
}

/* Of 00-TRACE-PARENT-FLAGS, as the log has checked it. */
static void put_trace(struct text *t, const struct report_event *event, const char *event_id)
{
    if (strlen(event->trace) == 55) {
        put(t, ",\"contexts\":{\"trace\":{\"trace_id\":\"");
        put_bytes(t, event->trace + 3, 32);
        put(t, "\",\"parent_span_id\":\"");
        put_bytes(t, event->trace + 36, 16);
        put(t, "\",\"span_id\":\"");
        put_bytes(t, event_id, 16);
        put(t, "\"}}");
    }
}

static void put_event(struct text *t, const struct report_event *event,
                      const struct report_origin *origin, unsigned repeated, const char *event_id)
{
    char number[24];
    char time[TIMESTAMP_TEXT_MAX];
    size_t length = timestamp_print(event->time_us, time);
    put(t, "{\"event_id\":\"");
    put(t, event_id);
    put(t, "\",\"timestamp\":\"");
    put_bytes(t, time, length);
    put(t, "\",\"platform\":\"native\",\"level\":\"error\",\"logger\":\"billingd\"");
    put(t, ",\"release\":\"billingd@");
    put(t, origin->version);
    put(t, "\"");
    put_member(t, "environment", origin->environment);
    put(t, ",\"message\":{\"formatted\":");
    put_string(t, event->message);
    put(t, "}");
    put_fingerprint(t, event);
    put_tags(t, event);
    put_trace(t, event, event_id);
    IGNORE(snprintf(number, sizeof number, "%u", repeated) < 0); /* fits */
    put(t, ",\"extra\":{\"repeated\":");
    put(t, number);
    put(t, "}}");
}

size_t report_event_envelope(const struct report_event *event, const struct report_origin *origin,
                             unsigned repeated, const uint8_t random[16], char *text)
{
    char event_id[33];
    char payload[REPORT_ENVELOPE_BYTES / 2];
    char head[128];
    struct text body = {.data = payload, .room = sizeof payload};
    struct text all = {.data = text, .room = REPORT_ENVELOPE_BYTES};
    for (size_t i = 0; i < 16; i++) {
        IGNORE(snprintf(event_id + 2 * i, 3, "%02x", random[i]) < 0); /* fits */
    }
    put_event(&body, event, origin, repeated, event_id);
    IGNORE(snprintf(head, sizeof head, "{\"event_id\":\"%s\"}\n", event_id) < 0); /* fits */
    put(&all, head);
    IGNORE(snprintf(head, sizeof head,
                    "{\"type\":\"event\",\"length\":%zu,\"content_type\":\"application/json\"}\n",
                    body.length) < 0); /* fits */
    put(&all, head);
    put_bytes(&all, payload, body.length);
    put(&all, "\n");
    return all.length;
}
