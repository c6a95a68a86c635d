#include "billingd/base/log_line.h"

#include <inttypes.h>
#include <stdio.h>

#include "proto/status.h"
#include "proto/utf8.h"

enum {
    END_BYTES = 16,  /* kept for what ends any line: a quote, the mark of a cut, a newline */
    UNIT_BYTES = 16, /* a character, or its escape */
};

/* --- bytes ------------------------------------------------------------------------------------ */

static bool has_room(const struct log_line *line, size_t bytes)
{
    return !line->cut && line->length + bytes <= LOG_LINE_BYTES - END_BYTES;
}

/* All of it, or nothing more at all. */
static void put(struct log_line *line, const char *bytes, size_t length)
{
    if (!has_room(line, length)) {
        line->cut = true;
        return;
    }
    memcpy(line->text + line->length, bytes, length);
    line->length += length;
}

/* There is room: END_BYTES are kept. */
static void put_end(struct log_line *line, const char *text)
{
    size_t length = strlen(text);
    memcpy(line->text + line->length, text, length);
    line->length += length;
}

/* --- characters ------------------------------------------------------------------------------- */

/* How many of the LEFT bytes at TEXT are one character; 0: they are none of UTF-8. */
static size_t character_bytes(const char *text, size_t left)
{
    unsigned char lead = (unsigned char)*text;
    size_t bytes = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    return bytes <= left && utf8_valid(text, bytes) ? bytes : 0;
}

static uint32_t code_point(const char *text, size_t bytes)
{
    static const unsigned char lead_mask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t point = (unsigned char)*text & lead_mask[bytes];
    for (size_t i = 1; i < bytes; i++) {
        point = point << 6 | ((unsigned char)text[i] & 0x3FU);
    }
    return point;
}

/* What no reader of a log should have acted out: controls, other ends of lines, and what turns the
 * direction of text around. */
static bool is_active(uint32_t point)
{
    return point < 0x20 || (point >= 0x7F && point < 0xA0) ||
           (point >= 0x2028 && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069) ||
           point == 0xFEFF;
}

/* The short escape of POINT, or '\0'. */
static char short_escape(uint32_t point)
{
    switch (point) {
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    case '"':
    case '\\':
        return (char)point;
    default:
        return '\0';
    }
}

/* Put the first character of TEXT (LEFT bytes, at least one) as it stands within quotes.  Returns
 * how many bytes that were. */
static size_t put_character(struct log_line *line, const char *text, size_t left)
{
    char unit[UNIT_BYTES];
    size_t bytes = character_bytes(text, left);
    if (bytes == 0) {
        put(line, "\xEF\xBF\xBD", 3);
        return 1;
    }
    uint32_t point = code_point(text, bytes);
    char escape = short_escape(point);
    if (escape != '\0') {
        unit[0] = '\\';
        unit[1] = escape;
        put(line, unit, 2);
    } else if (is_active(point)) {
        IGNORE(snprintf(unit, sizeof unit, "\\u%04" PRIx32, point) < 0); /* below U+10000: fits */
        put(line, unit, 6);
    } else {
        put(line, text, bytes);
    }
    return bytes;
}

/* The quotes are there whatever is cut between them. */
static void put_quoted(struct log_line *line, struct slice text)
{
    put(line, "\"", 1);
    if (line->cut) {
        return;
    }
    for (size_t i = 0; i < text.length && !line->cut;) {
        i += put_character(line, text.data + i, text.length - i);
    }
    put_end(line, "\"");
}

/* Whether logfmt needs no quotes around TEXT. */
static bool is_plain(struct slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c <= ' ' || c >= 0x7F || c == '"' || c == '=' || c == '\\') {
            return false;
        }
    }
    return text.length > 0;
}

/* --- fields ----------------------------------------------------------------------------------- */

/* Whether there is room for the name and for a value that is next to nothing. */
static bool put_name(struct log_line *line, const char *name)
{
    size_t length = strlen(name);
    bool json = line->format == LOG_JSON;
    if (!has_room(line, length + 8)) {
        line->cut = true;
        return false;
    }
    if (json) {
        put(line, line->any ? ",\"" : "\"", line->any ? 2 : 1);
    } else if (line->any) {
        put(line, " ", 1);
    }
    put(line, name, length);
    put(line, json ? "\":" : "=", json ? 2 : 1);
    line->any = true;
    return true;
}

void log_line_begin(struct log_line *line, enum log_format format, int priority)
{
    line->format = format;
    line->cut = false;
    line->any = false;
    line->length = 0;
    if (priority >= 0) {
        char mark[] = {'<', (char)('0' + priority), '>'};
        put(line, mark, sizeof mark);
    }
    if (format == LOG_JSON) {
        put(line, "{", 1);
    }
}

void log_line_text(struct log_line *line, const char *name, struct slice value)
{
    if (!put_name(line, name)) {
        return;
    }
    if (line->format == LOG_LOGFMT && is_plain(value) && has_room(line, value.length)) {
        put(line, value.data, value.length);
    } else {
        put_quoted(line, value);
    }
}

void log_line_int(struct log_line *line, const char *name, int64_t value)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRId64, value);
    if (!has_room(line, strlen(name) + 8 + (size_t)length)) {
        line->cut = true;
    } else if (put_name(line, name)) {
        put(line, digits, (size_t)length);
    }
}

void log_line_end(struct log_line *line)
{
    bool json = line->format == LOG_JSON;
    if (line->cut) {
        put_end(line, json ? ",\"cut\":true" : " cut=true");
    }
    put_end(line, json ? "}\n" : "\n");
}
