/* Text that is put together: a buffer that grows, and the few ways of writing text into another
 * language (JSON, CSV, a shell, a terminal).  Main thread; pure but for the heap. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Starts as {0}; ends with text_done(). */
struct text {
    char *data;      /* owned; NULL, or `length` bytes and a NUL */
    size_t length;   /* without the NUL */
    size_t capacity; /* of data */
};

/* Why something cannot be done, in one line: for functions that leave saying it to their caller. */
struct reason {
    char text[320];
};

/* Write REASON in printf()'s manner, cut where it is too long.  Returns false, which the function
 * that fails may return in turn. */
__attribute__((format(printf, 2, 3))) bool reason_set(struct reason *reason, const char *format,
                                                      ...);

/* Append LENGTH bytes, a text, or what printf() would print. */
void text_put(struct text *text, const char *bytes, size_t length);
void text_puts(struct text *text, const char *string);
__attribute__((format(printf, 2, 3))) void text_printf(struct text *text, const char *format, ...);
__attribute__((format(printf, 2, 0))) void text_vprintf(struct text *text, const char *format,
                                                        va_list args);

/* Append N in digits; for the many, as printf() takes its time. */
void text_put_count(struct text *text, uint64_t n);

/* Append N blanks. */
void text_pad(struct text *text, size_t n);

/* Its contents, "" where nothing was put.  Valid until the next change. */
const char *text_of(const struct text *text);

/* Make it empty and keep its memory. */
void text_clear(struct text *text);

/* Free its memory. */
void text_done(struct text *text);

/* Append STRING as a JSON string, in quotes. */
void text_put_json(struct text *text, const char *string);

/* Append STRING as a CSV field (RFC 4180), in quotes where it needs them.  What a spreadsheet would
 * take for a formula is left as it is: the file is data for programs first, and a mark in front
 * would be one byte that is not in the record. */
void text_put_csv(struct text *text, const char *string);

/* Append STRING as one word for a POSIX shell. */
void text_put_shell(struct text *text, const char *string);

/* Append STRING so that a terminal shows it and obeys nothing in it: control characters, and bytes
 * that are no UTF-8, become '?'. */
void text_put_visible(struct text *text, const char *string);

/* How many columns a terminal needs for STRING as text_put_visible() writes it.  Goes by the
 * locale's LC_CTYPE, which main() sets to UTF-8. */
size_t text_columns(const char *string);
