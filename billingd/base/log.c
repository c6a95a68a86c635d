#include "billingd/base/log.h"

#include <stdio.h>
#include <unistd.h>

#include "billingd/base/clock.h"
#include "proto/status.h"
#include "proto/timestamp.h"

enum {
    LINE_BYTES = 2048, /* what is longer is cut: a log line is for people */
};

static enum log_level threshold = LOG_LEVEL_INFO;

static const char *const level_names[] = {"debug", "info", "warning", "error"};
static const char *const area_names[] = {"daemon", "net", "rpc", "commit", "store"};

struct line {
    char text[LINE_BYTES];
    size_t length;
};

static void put(struct line *line, char c)
{
    if (line->length < LINE_BYTES - 1) { /* the last byte is the newline's */
        line->text[line->length++] = c;
    }
}

static void put_text(struct line *line, const char *text)
{
    for (; *text != '\0'; text++) {
        put(line, *text);
    }
}

static bool is_plain(struct slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7F) {
            return false;
        }
    }
    return text.length > 0;
}

/* Quoted, with whatever could end the line or move a terminal's cursor made harmless. */
static void put_quoted(struct line *line, struct slice text)
{
    put(line, '"');
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c < ' ' || c == 0x7F) {
            put(line, '?');
            continue;
        }
        if (c == '"' || c == '\\') {
            put(line, '\\');
        }
        put(line, (char)c);
    }
    put(line, '"');
}

static void put_field(struct line *line, const struct log_field *field)
{
    char number[24];
    put(line, ' ');
    put_text(line, field->name);
    put(line, '=');
    if (field->type == LOG_FIELD_INT) {
        IGNORE(snprintf(number, sizeof number, "%lld", (long long)field->number) < 0); /* fits */
        put_text(line, number);
    } else if (is_plain(field->text)) {
        for (size_t i = 0; i < field->text.length; i++) {
            put(line, field->text.data[i]);
        }
    } else {
        put_quoted(line, field->text);
    }
}

void log_set_level(enum log_level level)
{
    threshold = level;
}

void log_write(enum log_level level, enum log_area area, const char *message,
               const struct log_field *fields)
{
    struct line line = {.length = 0};
    char time[TIMESTAMP_TEXT_MAX];
    if (level < threshold) {
        return;
    }
    timestamp_print(clock_wall_us(), time);
    put_text(&line, "time=");
    put_text(&line, time);
    put_text(&line, " level=");
    put_text(&line, level_names[level]);
    put_text(&line, " area=");
    put_text(&line, area_names[area]);
    put_field(&line, &LOG_TEXT("msg", message));
    for (; fields->name != NULL; fields++) {
        put_field(&line, fields);
    }
    line.text[line.length++] = '\n';
    IGNORE(write(STDERR_FILENO, line.text, line.length) < 0); /* nowhere to say so */
}
