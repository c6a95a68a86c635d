#include "billingctl/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "billingctl/memory.h"

bool reason_set(struct reason *reason, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(reason->text, sizeof reason->text, format, args);
    va_end(args);
    if (length < 0) {
        memcpy(reason->text, "?", 2);
    }
    return false;
}

static void make_room(struct text *text, size_t bytes)
{
    size_t capacity = text->capacity < 128 ? 128 : text->capacity;
    while (capacity - text->length <= bytes) { /* one more, for the NUL */
        capacity *= 2;
    }
    if (capacity != text->capacity) {
        text->data = memory_resize(text->data, capacity, 1);
        text->capacity = capacity;
    }
}

void text_put(struct text *text, const char *bytes, size_t length)
{
    make_room(text, length);
    if (length > 0) {
        memcpy(text->data + text->length, bytes, length);
    }
    text->length += length;
    text->data[text->length] = '\0';
}

void text_puts(struct text *text, const char *string)
{
    text_put(text, string, strlen(string));
}

void text_vprintf(struct text *text, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0) {
        return;
    }
    make_room(text, (size_t)length);
    if (vsnprintf(text->data + text->length, (size_t)length + 1, format, args) == length) {
        text->length += (size_t)length;
    }
}

void text_printf(struct text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text_vprintf(text, format, args);
    va_end(args);
}

void text_put_count(struct text *text, uint64_t n)
{
    char digits[20]; /* of the largest */
    size_t at = sizeof digits;
    do {
        digits[--at] = "0123456789"[n % 10];
        n /= 10;
    } while (n > 0);
    text_put(text, digits + at, sizeof digits - at);
}

void text_pad(struct text *text, size_t n)
{
    make_room(text, n);
    memset(text->data + text->length, ' ', n);
    text->length += n;
    text->data[text->length] = '\0';
}

const char *text_of(const struct text *text)
{
    return text->data == NULL ? "" : text->data;
}

void text_clear(struct text *text)
{
    text->length = 0;
    if (text->data != NULL) {
        text->data[0] = '\0';
    }
}

void text_done(struct text *text)
{
    free(text->data);
    *text = (struct text){0};
}

/* --- other languages -------------------------------------------------------------------------- */

void text_put_json(struct text *text, const char *string)
{
    text_puts(text, "\"");
    for (; *string != '\0'; string++) {
        unsigned char c = (unsigned char)*string;
        if (c == '"' || c == '\\') {
            text_put(text, "\\", 1);
        }
        if (c < 0x20 || c == 0x7F) {
            text_printf(text, "\\u%04x", c);
        } else {
            text_put(text, string, 1);
        }
    }
    text_puts(text, "\"");
}

void text_put_csv(struct text *text, const char *string)
{
    if (strpbrk(string, ",\"\r\n") == NULL) {
        text_puts(text, string);
        return;
    }
    text_puts(text, "\"");
    for (const char *c = string; *c != '\0'; c++) {
        text_puts(text, *c == '"' ? "\"" : "");
        text_put(text, c, 1);
    }
    text_puts(text, "\"");
}

void text_put_shell(struct text *text, const char *string)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_./:=@%+,";
    if (*string != '\0' && string[strspn(string, plain)] == '\0') {
        text_puts(text, string);
        return;
    }
    text_puts(text, "'");
    for (; *string != '\0'; string++) {
        if (*string == '\'') {
            text_puts(text, "'\\''");
        } else {
            text_put(text, string, 1);
        }
    }
    text_puts(text, "'");
}

/* The next character of STRING: how many bytes it has (0 at the end) and how many columns it takes;
 * -1 columns where it must not be shown as it is. */
static size_t next_character(const char *string, mbstate_t *state, int *ret_columns)
{
    wchar_t wide;
    size_t bytes = mbrtowc(&wide, string, strlen(string), state);
    if (bytes == (size_t)-1 || bytes == (size_t)-2) {
        memset(state, 0, sizeof *state);
        *ret_columns = -1;
        return 1;
    }
    *ret_columns = bytes == 0 ? 0 : wcwidth(wide);
    return bytes;
}

void text_put_visible(struct text *text, const char *string)
{
    mbstate_t state = {0};
    int columns;
    while (*string != '\0') {
        size_t bytes = next_character(string, &state, &columns);
        if (columns < 0) {
            text_put(text, "?", 1);
        } else {
            text_put(text, string, bytes);
        }
        string += bytes;
    }
}

size_t text_columns(const char *string)
{
    mbstate_t state = {0};
    size_t total = 0;
    int columns;
    while (*string != '\0') {
        string += next_character(string, &state, &columns);
        total += columns < 0 ? 1 : (size_t)columns;
    }
    return total;
}
