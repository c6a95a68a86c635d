#include "billingd/base/metrics_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/status.h"

enum {
    ROOM_BYTES = 16 * 1024, /* at first: an answer has some tens of kilobytes */
    NUMBER_BYTES = 32,
};

static void put_bytes(struct metrics_text *t, const char *bytes, size_t length)
{
    if (t->failed) {
        return;
    }
    if (length > t->capacity - t->length) {
        size_t capacity = t->capacity == 0 ? ROOM_BYTES : t->capacity * 2;
        capacity = capacity - t->length < length ? t->length + length : capacity;
        char *data = realloc(t->data, capacity);
        if (data == NULL) {
            t->failed = true;
            return;
        }
        t->data = data;
        t->capacity = capacity;
    }
    memcpy(t->data + t->length, bytes, length);
    t->length += length;
}

static void put(struct metrics_text *t, const char *text)
{
    put_bytes(t, text, strlen(text));
}

void metrics_family(struct metrics_text *text, const char *name, enum metrics_type type,
                    const char *help)
{
    static const char *const types[] = {
        [METRICS_COUNTER] = "counter",
        [METRICS_GAUGE] = "gauge",
        [METRICS_HISTOGRAM] = "histogram",
    };
    text->name = name;
    put(text, "# HELP ");
    put(text, name);
    put(text, " ");
    put(text, help);
    put(text, "\n# TYPE ");
    put(text, name);
    put(text, " ");
    put(text, types[type]);
    put(text, "\n");
}

static void put_label(struct metrics_text *t, const char *name, const char *value)
{
    put(t, name);
    put(t, "=\"");
    for (; *value != '\0'; value++) {
        if (*value == '\n') {
            put(t, "\\n");
            continue;
        }
        if (*value == '"' || *value == '\\') {
            put(t, "\\");
        }
        put_bytes(t, value, 1);
    }
    put(t, "\"");
}

/* NAME with SUFFIX, LABELS and at last, unless it is NULL, the label le of the bound LE. */
static void put_sample(struct metrics_text *t, const char *suffix,
                       const struct metrics_label *labels, const char *le)
{
    const char *before = "{";
    put(t, t->name);
    put(t, suffix);
    for (; labels != NULL && labels->name != NULL; labels++) {
        put(t, before);
        put_label(t, labels->name, labels->value);
        before = ",";
    }
    if (le != NULL) {
        put(t, before);
        put_label(t, "le", le);
        before = ",";
    }
    put(t, *before == ',' ? "} " : " ");
}

static void print_count(char text[NUMBER_BYTES], uint64_t value)
{
    IGNORE(snprintf(text, NUMBER_BYTES, "%" PRIu64, value) < 0); /* fits */
}

static void print_seconds(char text[NUMBER_BYTES], uint64_t us)
{
    IGNORE(snprintf(text, NUMBER_BYTES, "%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000) <
           0); /* fits */
}

/* Without the noughts at the end, as one would write a bound. */
static void trim(char text[NUMBER_BYTES])
{
    char *end = text + strlen(text);
    while (strchr(text, '.') != NULL && (end[-1] == '0' || end[-1] == '.')) {
        *--end = '\0';
    }
}

static void put_number(struct metrics_text *t, const char *number)
{
    put(t, number);
    put(t, "\n");
}

void metrics_sample(struct metrics_text *text, const struct metrics_label *labels, uint64_t value)
{
    char number[NUMBER_BYTES];
    put_sample(text, "", labels, NULL);
    print_count(number, value);
    put_number(text, number);
}

void metrics_seconds(struct metrics_text *text, const struct metrics_label *labels, int64_t us)
{
    char number[NUMBER_BYTES];
    put_sample(text, "", labels, NULL);
    print_seconds(number, us < 0 ? 0 : (uint64_t)us);
    put_number(text, number);
}

void metrics_histogram(struct metrics_text *text, const struct metrics_label *labels,
                       const struct histogram *histogram)
{
    const struct histogram_scale *scale = histogram->scale;
    void (*print)(char[NUMBER_BYTES], uint64_t) =
        scale == &histogram_times_us ? print_seconds : print_count;
    char number[NUMBER_BYTES];
    uint64_t count = 0;
    for (size_t i = 0; i <= scale->n; i++) {
        count += histogram_read(&histogram->buckets[i]);
        if (i < scale->n) {
            print(number, scale->bounds[i]);
            trim(number);
        }
        put_sample(text, "_bucket", labels, i < scale->n ? number : "+Inf");
        print_count(number, count);
        put_number(text, number);
    }
    put_sample(text, "_sum", labels, NULL);
    print(number, histogram_read(&histogram->sum));
    put_number(text, number);
    put_sample(text, "_count", labels, NULL);
    print_count(number, count);
    put_number(text, number);
}

void metrics_counter(struct metrics_text *text, const char *name, const char *help, uint64_t value)
{
    metrics_family(text, name, METRICS_COUNTER, help);
    metrics_sample(text, NULL, value);
}

void metrics_gauge(struct metrics_text *text, const char *name, const char *help, uint64_t value)
{
    metrics_family(text, name, METRICS_GAUGE, help);
    metrics_sample(text, NULL, value);
}
