/* What a connection or a request counts for: whose it is, and the memory that it takes, in that
 * one's total and in that of all.  What it takes is counted, and whether that is too much is asked,
 * by whichever thread has it; all else is for the loop thread only. */
#pragma once

#include <stdatomic.h>

#include "billingd/rpc/askers.h"
#include "proto/status.h"

/* What requests, their answers and the doors' buffers take together. */
struct memory_use {
    atomic_size_t bytes;
    atomic_size_t bytes_max; /* 0: no bound */
};

/* Starts as {0}. */
struct account {
    struct memory_use *memory;
    struct asker *asker; /* whom it holds; NULL: not open */
    size_t bytes;        /* counted so far */
    bool connected;      /* it is one of the asker's connections */
};

/* Count for ASKER, and in MEMORY, from now on. */
void account_open(struct account *account, struct memory_use *memory, struct asker *asker);

/* Count for nobody any more; one that is not open is left alone. */
void account_close(struct account *account);

/* An open one is a connection of ASKER from now on, with all that it has; of CONNECTIONS_MAX (0: no
 * bound) that it may have.  Returns 0, or STATUS_RATE_LIMITED where ASKER has as many: then it
 * counts for ASKER, but is none of its connections. */
MUSTCHECK int account_connect(struct account *account, struct asker *asker, size_t connections_max);

/* It takes BYTES now. */
void account_count(struct account *account, size_t bytes);

/* Whether it is to take no more: all memory is taken, or its asker has half of it alone. */
bool account_is_full(const struct account *account);

/* Whether its asker has as much as one may. */
bool account_has_its_share(const struct account *account);
