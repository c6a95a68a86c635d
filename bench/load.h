/* The standard load: whose record, of which service, when, and under which request id.  What a
 * record says is the same for every engine, daemon and peer; only how it is written down differs.
 *
 * 10,000 customers at random unless told otherwise, 8 services at one price each, units with two
 * digits behind the point, occurred_at at random over the last 24 hours.  A record takes about 100
 * bytes.  The same seed gives the same records but for their time.
 *
 * One thread at a time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "billingd/base/slice.h"
#include "billingd/store/record.h"
#include "proto/decimal.h"

enum {
    LOAD_SERVICES = 8,
    LOAD_ID_BYTES = 32,   /* 16 random ones, in hexadecimal digits */
    LOAD_UNITS_BYTES = 8, /* of their text, at most */
};

struct load_service {
    struct slice name;
    struct slice price;
};

extern const struct load_service load_services[LOAD_SERVICES];

struct load {
    uint64_t state; /* of the generator */
    uint64_t customers;
    uint64_t next_id; /* where ids are in order, the front half of the next one */
    bool ordered;
    int64_t now_us;                       /* when it was begun */
    struct decimal prices[LOAD_SERVICES]; /* of load_services */
};

struct load_record {
    uint64_t customer; /* from 0 */
    unsigned service;  /* of load_services */
    uint32_t units;    /* in hundredths; its last digit is 1 */
    int64_t occurred_at_us;
    char id[LOAD_ID_BYTES];
};

/* Begin one for CUSTOMERS.  ORDERED: each id is above the one before it, as time-ordered ids
 * are. */
void load_init(struct load *load, uint64_t seed, uint64_t customers, bool ordered);

/* The next random number. */
uint64_t load_random(struct load *load);

/* The next record. */
void load_next(struct load *load, struct load_record *ret);

/* The units of RECORD as text into BUFFER.  Returns the length. */
size_t load_units_print(const struct load_record *record, char buffer[LOAD_UNITS_BYTES]);

/* RECORD as the store takes it, its customer having been created as FIRST_CUSTOMER + its number.
 * Its texts are RECORD's. */
void load_store_record(const struct load *load, const struct load_record *record,
                       uint64_t first_customer, struct record *ret);
