#include "billingctl/progress.h"

#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#include "billingctl/say.h"

enum {
    BAR_COLUMNS = 30,
    DRAW_EVERY_MS = 100,
};

static int64_t now_ms(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) {
        return 0;
    }
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A bar for PART of SIZE, which may have grown beyond it. */
static void put_bar(struct text *text, uint64_t size, uint64_t part)
{
    part = part < size ? part : size;
    uint64_t filled = (uint64_t)((unsigned __int128)part * BAR_COLUMNS / size);
    uint64_t percent = (uint64_t)((unsigned __int128)part * 100 / size);
    text_puts(text, "[");
    for (uint64_t i = 0; i < BAR_COLUMNS; i++) {
        text_puts(text, i < filled ? "#" : ".");
    }
    text_printf(text, "] %3" PRIu64 "%%  ", percent);
}

void progress_put_line(struct text *text, uint64_t size, uint64_t bytes, uint64_t rows,
                       int64_t elapsed_ms)
{
    if (size > 0) {
        put_bar(text, size, bytes);
    }
    text_printf(text, "%" PRIu64 " rows", rows);
    if (elapsed_ms > 0) {
        text_printf(text, "  %" PRIu64 " rows/s", rows * 1000 / (uint64_t)elapsed_ms);
    }
}

void progress_put_steps(struct text *text, uint64_t done, uint64_t steps, int64_t elapsed_ms)
{
    if (steps > 0) {
        put_bar(text, steps, done);
    }
    text_printf(text, "%" PRId64 " s", elapsed_ms / 1000);
}

void progress_begin(struct progress *progress, uint64_t size, bool wanted)
{
    *progress = (struct progress){.shown = wanted && isatty(STDERR_FILENO) == 1, .size = size};
    if (progress->shown) {
        progress->begun_ms = now_ms();
    }
}

/* Whether the line is to be drawn: at *RET_MS after the beginning. */
static bool is_due(struct progress *progress, int64_t *ret_ms)
{
    int64_t now = progress->shown ? now_ms() : 0;
    if (!progress->shown || now - progress->drawn_ms < DRAW_EVERY_MS) {
        return false;
    }
    progress->drawn_ms = now;
    *ret_ms = now - progress->begun_ms;
    return true;
}

void progress_update(struct progress *progress, uint64_t bytes, uint64_t rows)
{
    struct text line = {0};
    int64_t elapsed_ms;
    if (is_due(progress, &elapsed_ms)) {
        progress_put_line(&line, progress->size, bytes, rows, elapsed_ms);
        say_transient(text_of(&line));
        text_done(&line);
    }
}

void progress_update_steps(struct progress *progress, uint64_t done, uint64_t steps)
{
    struct text line = {0};
    int64_t elapsed_ms;
    if (is_due(progress, &elapsed_ms)) {
        progress_put_steps(&line, done, steps, elapsed_ms);
        say_transient(text_of(&line));
        text_done(&line);
    }
}

void progress_end(struct progress *progress)
{
    if (progress->shown) {
        say_transient("");
    }
}
