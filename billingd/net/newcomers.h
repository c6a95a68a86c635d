/* Connections that need a key and have shown none yet, through both doors.
 *
 * Whoever can connect can leave connections open and say nothing.  So these have a bound of their
 * own, and where it is reached, whichever has been there longest makes way for the next: idlers
 * keep nobody out, and whoever shows a key is none of them any more.  Loop thread only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct newcomers;

struct newcomer {
    void (*turn_away)(void *connection); /* cuts it, which leaves */
    void *connection;
    struct newcomers *among; /* NULL: it is none */
    struct newcomer *older;
    struct newcomer *younger;
    int64_t since_us; /* monotonic */
};

/* Starts as {.n_max = ...}, of 1 or more. */
struct newcomers {
    struct newcomer *oldest;
    struct newcomer *youngest;
    size_t n;
    size_t n_max;
};

/* Where there are as many as there may be, turn the oldest away.  One for each that comes, however
 * many there are: where the bound was lowered, the others have little time left anyway. */
void newcomers_make_way(struct newcomers *newcomers);

/* NEWCOMER, whose first two fields are set, is one from NOW_US on, however many there are. */
void newcomers_enter(struct newcomers *newcomers, struct newcomer *newcomer, int64_t now_us);

/* It is none any more; one that is none is left alone. */
void newcomers_leave(struct newcomer *newcomer);

/* Turn the oldest away.  Returns whether there was one. */
bool newcomers_turn_away(struct newcomers *newcomers);
