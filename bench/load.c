#include "bench/load.h"

#include "bench/fail.h"
#include "billingd/base/clock.h"

enum {
    UNITS_TENTHS_MAX = 100000, /* so that units are below 10,000 */
    UNITS_SCALE = 2,
    HEX_DIGITS = 16, /* of a number of 64 bits */
};

#define DAY_US (UINT64_C(24) * 3600 * 1000000)

const struct load_service load_services[LOAD_SERVICES] = {
    {SLICE("Database Hosting, 4 vCPU, 16 GiB"), SLICE("0.05")},
    {SLICE("Object Storage, standard, per hour"), SLICE("0.0000004")},
    {SLICE("Virtual Machine, 8 vCPU, 32 GiB"), SLICE("0.0832")},
    {SLICE("Load Balancer, network, per hour"), SLICE("0.0225")},
    {SLICE("Data Transfer, out to internet"), SLICE("0.09")},
    {SLICE("Message Queue, first in first out"), SLICE("0.000004")},
    {SLICE("Block Storage, solid state, GiB"), SLICE("0.0001")},
    {SLICE("Function Calls, 512 MiB, per call"), SLICE("0.0002")},
};

void load_init(struct load *load, uint64_t seed, uint64_t customers, bool ordered)
{
    *load = (struct load){
        .state = seed, .customers = customers, .ordered = ordered, .now_us = clock_wall_us()};
    load->next_id = (uint64_t)load->now_us << 8; /* later runs go on behind earlier ones */
    for (unsigned i = 0; i < LOAD_SERVICES; i++) {
        struct slice price = load_services[i].price;
        check_status(decimal_parse(price.data, price.length, &load->prices[i], NULL), "price");
    }
}

/* SplitMix64: a few instructions, and good enough that ids do not collide. */
uint64_t load_random(struct load *load)
{
    uint64_t z = load->state += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

static void put_hex(uint64_t value, char digits[HEX_DIGITS])
{
    for (int i = HEX_DIGITS - 1; i >= 0; i--) {
        digits[i] = "0123456789abcdef"[value & 15];
        value >>= 4;
    }
}

void load_next(struct load *load, struct load_record *ret)
{
    uint64_t random = load_random(load);
    ret->customer = load_random(load) % load->customers;
    ret->service = (unsigned)(random % LOAD_SERVICES);
    ret->units = (uint32_t)(random / LOAD_SERVICES % UNITS_TENTHS_MAX) * 10 + 1;
    ret->occurred_at_us = load->now_us - (int64_t)(load_random(load) % DAY_US);
    put_hex(load->ordered ? load->next_id++ : load_random(load), ret->id);
    put_hex(load_random(load), ret->id + HEX_DIGITS);
}

size_t load_units_print(const struct load_record *record, char buffer[LOAD_UNITS_BYTES])
{
    char reversed[LOAD_UNITS_BYTES];
    size_t n = 0;
    for (uint32_t rest = record->units; rest > 0 || n <= UNITS_SCALE + 1; rest /= 10) {
        if (n == UNITS_SCALE) {
            reversed[n++] = '.';
        }
        reversed[n++] = (char)('0' + rest % 10);
    }
    for (size_t i = 0; i < n; i++) {
        buffer[i] = reversed[n - 1 - i];
    }
    return n;
}

void load_store_record(const struct load *load, const struct load_record *record,
                       uint64_t first_customer, struct record *ret)
{
    *ret = (struct record){
        .kind = RECORD_USAGE,
        .request_id = {record->id, LOAD_ID_BYTES},
        .recorded_by = SLICE("uid:1000"),
        .usage = {.customer = first_customer + record->customer,
                  .service = load_services[record->service].name,
                  .price = load->prices[record->service],
                  .occurred_at_us = record->occurred_at_us,
                  .bills_at_us = record->occurred_at_us,
                  .occurred_at_given = true},
    };
    check_status(decimal_make(record->units, UNITS_SCALE, &ret->usage.units), "units");
}
