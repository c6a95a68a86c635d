/* How long what is large rests, once a group of it has kept others waiting who ask for little and
 * wait for each answer: longer than that group took.  So they keep the greater part of the time,
 * and of the rate that they have alone, however much one sends at a time.
 *
 * They have to use it: where none of them comes back for a while, the rest is over.
 *
 * Pure: times are handed in.  Committer thread. */
#pragma once

#include <stdint.h>

/* A struct of zeroes is one in which nothing rests. */
struct rest {
    int64_t until_us;    /* monotonic; what is large is not begun before */
    int64_t patience_us; /* unless so long nobody has asked for little */
    int64_t little_us;   /* when one who asks for little was last answered; 0: never */
};

/* A group of what is large has ended at NOW_US, and took so long. */
void rest_begin(struct rest *rest, int64_t took_us, int64_t now_us);

/* One who asks for little is answered at NOW_US. */
void rest_note_little(struct rest *rest, int64_t now_us);

/* How long at NOW_US what is large is still to rest, if nobody comes; 0: it may begin. */
int64_t rest_wait_us(const struct rest *rest, int64_t now_us);
