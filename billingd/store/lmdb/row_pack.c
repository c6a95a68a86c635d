#include "billingd/store/lmdb/row_pack.h"

#include "billingd/base/assert.h"
#include "billingd/store/codec.h"

enum {                        /* the first byte of a sum: what differs from what is usual */
       SUM_NEW_KIND = 1 << 0, /* its kind is none that is remembered, and stands there in full */
       SUM_NEW_CUSTOMER = 1 << 1, /* than the row before has */
       SUM_NEW_NAME = 1 << 2,     /* than the last of the kind has */
       SUM_NEW_SCALE = 1 << 3,    /* likewise, of its units */
       SUM_LARGE = 1 << 4,        /* its units take more than 64 bits */
       SUM_COUNTED = 1 << 5,      /* it is not of one record that came in time and was not voided */
       SUM_FLAGS = (1 << 6) - 1,
};

void row_pack_begin(struct row_packing *packing, enum segment_table table)
{
    REQUIRE(table != SEGMENT_FILTER);
    memset(&packing->last, 0, sizeof packing->last);
    if (table == SEGMENT_SUMS) { /* others have no kinds, which take thousands of bytes */
        memset(packing->kinds, 0, sizeof packing->kinds);
    }
    packing->table = table;
}

/* Small numbers of either sign become small ones; differences wrap, and so does adding them. */
static inline uint64_t fold(uint64_t difference)
{
    return difference << 1 ^ (difference >> 63 != 0 ? UINT64_MAX : 0);
}

static inline uint64_t unfold(uint64_t folded)
{
    return folded >> 1 ^ ((folded & 1) != 0 ? UINT64_MAX : 0);
}

static inline void put_word(struct writer *w, uint64_t value)
{
    bytes_put_le64(w->at, value);
    w->at += sizeof value;
}

static inline uint64_t get_word(struct reader *r)
{
    const uint8_t *at = take(r, sizeof(uint64_t));
    return at == NULL ? 0 : bytes_get_le64(at);
}

/* --- request ids and places ------------------------------------------------------------------- */

static void pack_request(struct row_packing *packing, const struct request_row *row,
                         struct writer *w)
{
    put_varint(w, row->high - packing->last.request.high);
    put_word(w, row->low);
    put_varint(w, fold(row->seq - packing->last.request.seq));
    packing->last.request = *row;
}

static void unpack_request(struct row_packing *packing, struct reader *r, struct request_row *row)
{
    row->high = packing->last.request.high + get_varint(r);
    row->low = get_word(r);
    row->seq = packing->last.request.seq + unfold(get_varint(r));
    packing->last.request = *row;
}

/* The time of a customer's first place is given in full. */
static uint64_t time_before(const struct row_packing *packing, uint64_t customer)
{
    const struct place_row *last = &packing->last.place;
    return last->customer == customer ? (uint64_t)last->time_us : 0;
}

static void pack_place(struct row_packing *packing, const struct place_row *row, struct writer *w)
{
    put_varint(w, row->customer - packing->last.place.customer);
    put_varint(w, (uint64_t)row->time_us - time_before(packing, row->customer));
    put_varint(w, fold(row->seq_late - packing->last.place.seq_late));
    packing->last.place = *row;
}

static void unpack_place(struct row_packing *packing, struct reader *r, struct place_row *row)
{
    row->customer = packing->last.place.customer + get_varint(r);
    row->time_us = (int64_t)(time_before(packing, row->customer) + get_varint(r));
    row->seq_late = packing->last.place.seq_late + unfold(get_varint(r));
    packing->last.place = *row;
}

/* --- sums ------------------------------------------------------------------------------------- */

/* Where the kind of ROW is remembered. */
static unsigned place_of_kind(const struct sum_row *row)
{
    uint64_t hash = row->service_low ^
                    (uint64_t)row->price_mantissa * UINT64_C(0x9e3779b97f4a7c15) ^
                    (uint64_t)(uint8_t)row->price_scale << 8 ^ row->clocks;
    return (unsigned)(hash * UINT64_C(0x9e3779b97f4a7c15) >> 56);
}

static bool is_of_kind(const struct sum_row *row, const struct sum_kind *kind)
{
    return row->service_high == kind->service_high && row->service_low == kind->service_low &&
           row->price_mantissa == kind->price_mantissa && row->price_scale == kind->price_scale &&
           row->clocks == kind->clocks;
}

static void remember(struct row_packing *packing, struct sum_kind *kind, const struct sum_row *row)
{
    *kind = (struct sum_kind){
        .service_high = row->service_high,
        .service_low = row->service_low,
        .price_mantissa = row->price_mantissa,
        .customer = row->customer,
        .named_by = row->named_by,
        .price_scale = row->price_scale,
        .clocks = row->clocks,
        .units_scale = row->units_scale,
    };
    packing->last.sum = *row;
}

static bool is_large(const struct sum_row *row)
{
    return row->units_high != ((int64_t)row->units_low < 0 ? -1 : 0);
}

static unsigned flags_of(const struct row_packing *packing, const struct sum_kind *kind,
                         const struct sum_row *row)
{
    unsigned flags = 0;
    flags |= is_of_kind(row, kind) ? 0 : SUM_NEW_KIND;
    flags |= row->customer == packing->last.sum.customer ? 0 : SUM_NEW_CUSTOMER;
    flags |= row->named_by == kind->named_by ? 0 : SUM_NEW_NAME;
    flags |= row->units_scale == kind->units_scale ? 0 : SUM_NEW_SCALE;
    flags |= is_large(row) ? SUM_LARGE : 0;
    flags |= row->records == 1 && row->voided == 0 && row->late == 0 ? 0 : SUM_COUNTED;
    return flags;
}

static void put_kind(struct writer *w, const struct sum_row *row)
{
    put_word(w, row->service_high);
    put_word(w, row->service_low);
    put_varint(w, fold((uint64_t)row->price_mantissa));
    put_byte(w, (uint8_t)row->price_scale);
    put_byte(w, row->clocks);
}

static void put_units(struct writer *w, const struct sum_row *row, unsigned flags)
{
    if ((flags & SUM_NEW_SCALE) != 0) {
        put_byte(w, (uint8_t)row->units_scale);
    }
    put_varint(w, fold(row->units_low));
    if ((flags & SUM_LARGE) != 0) {
        bytes_put_le16(w->at, (uint16_t)row->units_high);
        w->at += sizeof(uint16_t);
    }
}

static void pack_sum(struct row_packing *packing, const struct sum_row *row, struct writer *w)
{
    unsigned place = place_of_kind(row);
    struct sum_kind *kind = &packing->kinds[place];
    unsigned flags = flags_of(packing, kind, row);
    uint64_t hour = row->hour;
    put_byte(w, flags);
    if ((flags & SUM_NEW_KIND) != 0) {
        put_kind(w, row);
    } else {
        put_byte(w, place);
    }
    if ((flags & SUM_NEW_CUSTOMER) != 0) {
        put_varint(w, row->customer - packing->last.sum.customer);
    } else {
        hour = fold(hour - packing->last.sum.hour);
    }
    put_varint(w, hour);
    if ((flags & SUM_NEW_NAME) != 0) {
        put_varint(w, fold(row->named_by - kind->named_by));
    }
    put_units(w, row, flags);
    if ((flags & SUM_COUNTED) != 0) {
        put_varint(w, row->records);
        put_varint(w, row->voided);
        put_varint(w, row->late);
    }
    remember(packing, kind, row);
}

/* The members of ROW that are its kind's, and *RET_KIND. */
static void get_kind(struct row_packing *packing, struct reader *r, unsigned flags,
                     struct sum_row *row, struct sum_kind **ret_kind)
{
    if ((flags & SUM_NEW_KIND) != 0) {
        row->service_high = get_word(r);
        row->service_low = get_word(r);
        row->price_mantissa = (int64_t)unfold(get_varint(r));
        row->price_scale = (int8_t)get_byte(r);
        row->clocks = (uint8_t)get_byte(r);
        *ret_kind = &packing->kinds[place_of_kind(row)];
        return;
    }
    const struct sum_kind *kind = *ret_kind = &packing->kinds[get_byte(r)];
    row->service_high = kind->service_high;
    row->service_low = kind->service_low;
    row->price_mantissa = kind->price_mantissa;
    row->price_scale = kind->price_scale;
    row->clocks = kind->clocks;
}

static uint16_t get_count(struct reader *r)
{
    uint64_t count = get_varint(r);
    r->failed |= count > UINT16_MAX;
    return (uint16_t)count;
}

static void get_units(struct reader *r, unsigned flags, const struct sum_kind *kind,
                      struct sum_row *row)
{
    row->units_scale = kind->units_scale;
    if ((flags & SUM_NEW_SCALE) != 0) {
        row->units_scale = (int8_t)get_byte(r);
    }
    row->units_low = unfold(get_varint(r));
    row->units_high = (int16_t) - (int16_t)(row->units_low >> 63);
    if ((flags & SUM_LARGE) != 0) {
        const uint8_t *at = take(r, sizeof(uint16_t));
        row->units_high = (int16_t)(at == NULL ? 0 : bytes_get_le16(at));
    }
}

static void unpack_sum(struct row_packing *packing, struct reader *r, struct sum_row *row)
{
    struct sum_kind *kind;
    const struct sum_row *last = &packing->last.sum;
    unsigned flags = get_byte(r);
    r->failed |= flags > SUM_FLAGS;
    *row = (struct sum_row){.customer = last->customer, .records = 1};
    get_kind(packing, r, flags, row, &kind);
    if ((flags & SUM_NEW_CUSTOMER) != 0) {
        row->customer += get_varint(r);
        row->hour = (uint32_t)get_varint(r);
    } else {
        row->hour = (uint32_t)(last->hour + unfold(get_varint(r)));
    }
    row->named_by = kind->named_by + ((flags & SUM_NEW_NAME) != 0 ? unfold(get_varint(r)) : 0);
    get_units(r, flags, kind, row);
    if ((flags & SUM_COUNTED) != 0) {
        row->records = get_count(r);
        row->voided = get_count(r);
        row->late = get_count(r);
    }
    remember(packing, kind, row);
}

void row_pack_share_name(const struct row_packing *packing, struct sum_row *row)
{
    const struct sum_kind *kind = &packing->kinds[place_of_kind(row)];
    if (is_of_kind(row, kind) && row->customer == kind->customer) {
        row->named_by = kind->named_by;
    }
}

/* --- any -------------------------------------------------------------------------------------- */

size_t row_pack(struct row_packing *packing, const void *row, uint8_t *bytes)
{
    struct writer w = {bytes};
    switch (packing->table) {
    case SEGMENT_REQUESTS:
        pack_request(packing, row, &w);
        break;
    case SEGMENT_USAGE:
    case SEGMENT_LATE:
        pack_place(packing, row, &w);
        break;
    case SEGMENT_SUMS:
        pack_sum(packing, row, &w);
        break;
    case SEGMENT_FILTER:
        break;
    }
    return (size_t)(w.at - bytes);
}

int row_unpack(enum segment_table table, const uint8_t *bytes, size_t length, size_t n,
               void *ret_rows)
{
    struct row_packing packing;
    struct reader r = {.at = bytes, .end = bytes + length};
    row_pack_begin(&packing, table);
    for (size_t i = 0; i < n && !r.failed; i++) {
        switch (table) {
        case SEGMENT_REQUESTS:
            unpack_request(&packing, &r, (struct request_row *)ret_rows + i);
            break;
        case SEGMENT_USAGE:
        case SEGMENT_LATE:
            unpack_place(&packing, &r, (struct place_row *)ret_rows + i);
            break;
        case SEGMENT_SUMS:
            unpack_sum(&packing, &r, (struct sum_row *)ret_rows + i);
            break;
        case SEGMENT_FILTER:
            break;
        }
    }
    return r.failed ? STATUS_CORRUPT : 0;
}
