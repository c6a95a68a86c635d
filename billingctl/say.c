#include "billingctl/say.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static const char own_name[] = "billingctl: ";

static bool transient_shown;

/* There is nobody left to tell where this fails. */
static void write_out(const char *text)
{
    if (fputs(text, stderr) == EOF) {
        clearerr(stderr);
    }
}

void say_transient(const char *line)
{
    if (transient_shown) {
        write_out("\r\033[K");
    }
    write_out(line);
    transient_shown = *line != '\0';
}

__attribute__((format(printf, 3, 0))) static void put_line(struct text *ret, const char *prefix,
                                                           const char *format, va_list args)
{
    struct text raw = {0};
    text_vprintf(&raw, format, args);
    text_puts(ret, prefix);
    text_put_visible(ret, text_of(&raw));
    text_puts(ret, "\n");
    text_done(&raw);
}

__attribute__((format(printf, 2, 0))) static void say_line(const char *prefix, const char *format,
                                                           va_list args)
{
    struct text line = {0};
    put_line(&line, prefix, format, args);
    say_text(text_of(&line));
    text_done(&line);
}

void say_put(struct text *ret, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    put_line(ret, own_name, format, args);
    va_end(args);
}

void say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say_line(own_name, format, args);
    va_end(args);
}

void say_more(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say_line("  ", format, args);
    va_end(args);
}

void say_text(const char *text)
{
    say_transient("");
    write_out(text);
}
