/* Random values for requests: the ordinary, the extreme, and those that look like others.  One
 * thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tests/lib/testkit.h"
#include "tests/model/memory.h"

struct values {
    struct rng *rng;
    struct memory *step;
    int64_t places[8]; /* the instants around which things happen */
    size_t n_places;
};

/* Choose the places of a history that is at NOW: month, year and day ends, leap days. */
void values_init(struct values *values, struct rng *rng, struct memory *step, int64_t now);

/* True once in N times. */
bool once_in(struct values *values, unsigned n);

/* One of the texts of a NULL-ended list. */
const char *any_of(struct values *values, const char *const *list);

/* A time that something may have occurred at, often at a place, or a microsecond beside it; never
 * close to 24 hours ahead of NOW, where clocks would decide.  Some lie more than that ahead. */
int64_t any_time(struct values *values, int64_t now);

/* Units or a price: some are no numbers, or out of bounds. */
const char *any_number(struct values *values);

/* A number of units or a price of which a history has few, so that lines come together. */
const char *any_units(struct values *values);
const char *any_price(struct values *values);

/* An amount of either sign. */
const char *any_amount(struct values *values);

/* TEXT, a number, written otherwise; TEXT where it is none. */
const char *same_number(struct values *values, const char *text);

/* The name of a service; most are of a few. */
const char *any_service(struct values *values);

/* Text for people. */
const char *any_name(struct values *values);
