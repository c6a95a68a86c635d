#include "billingd/store/record.h"

#include "billingd/base/assert.h"
#include "billingd/base/bytes.h"
#include "proto/timestamp.h"

enum { /* flags of a usage; the other kinds have none.  Stored: never renumber. */
       FLAG_OCCURRED_AT_GIVEN = 1 << 0,
       FLAG_LATE = 1 << 1, /* bills_at stands behind occurred_at */
};

uint64_t record_scope(const struct record *record)
{
    switch (record->kind) {
    case RECORD_CUSTOMER_CREATED:
        return 0;
    case RECORD_CUSTOMER_RENAMED:
        return record->customer_renamed.customer;
    case RECORD_USAGE:
        return record->usage.customer;
    }
    INVARIANT(false); /* record_decode() gives no other kind */
    return 0;
}

/* --- writing values --------------------------------------------------------------------------- */

struct writer {
    uint8_t *at;
};

static void put_byte(struct writer *w, unsigned value)
{
    *w->at++ = (uint8_t)value;
}

static void put_varint(struct writer *w, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) {
        put_byte(w, (unsigned)(value & 0x7F) | 0x80U);
    }
    put_byte(w, (unsigned)value);
}

static void put_text(struct writer *w, struct slice text, size_t bytes_max)
{
    REQUIRE(text.length <= bytes_max);
    put_varint(w, text.length);
    if (text.length > 0) {
        memcpy(w->at, text.data, text.length);
        w->at += text.length;
    }
}

/* Small numbers of either sign in few bytes: 0, -1, 1, -2 become 0, 1, 2, 3. */
static void put_decimal(struct writer *w, struct decimal value)
{
    int64_t mantissa = decimal_mantissa(value);
    put_byte(w, (uint8_t)decimal_scale(value));
    put_varint(w, (uint64_t)mantissa << 1 ^ (mantissa < 0 ? UINT64_MAX : 0));
}

static void put_time(struct writer *w, int64_t time_us)
{
    REQUIRE(time_us >= 0 && time_us <= TIMESTAMP_MAX);
    bytes_put_le64(w->at, (uint64_t)time_us);
    w->at += sizeof(uint64_t);
}

/* --- reading values --------------------------------------------------------------------------- */

/* What is wrong anywhere sticks: the getters then give zeros and the caller asks once. */
struct reader {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

static struct reader reader_of(struct slice text)
{
    const uint8_t *at = (const uint8_t *)(text.length == 0 ? "" : text.data);
    return (struct reader){.at = at, .end = at + text.length};
}

static const uint8_t *take(struct reader *r, uint64_t bytes)
{
    if (bytes > (uint64_t)(r->end - r->at)) {
        r->failed = true;
        r->at = r->end;
        return NULL;
    }
    const uint8_t *at = r->at;
    r->at += bytes;
    return at;
}

static unsigned get_byte(struct reader *r)
{
    const uint8_t *at = take(r, 1);
    return at == NULL ? 0 : *at;
}

/* Only the shortest form of each number is taken. */
static uint64_t get_varint(struct reader *r)
{
    uint64_t value = 0;
    unsigned byte = 0x80;
    for (unsigned shift = 0; byte >= 0x80; shift += 7) {
        byte = get_byte(r);
        if (shift == 63 && byte > 1) { /* beyond 64 bits, or beyond 10 bytes */
            r->failed = true;
            return 0;
        }
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte == 0 && shift > 0) {
            r->failed = true;
        }
    }
    return value;
}

static struct slice get_text(struct reader *r, size_t bytes_max)
{
    uint64_t length = get_varint(r);
    if (length > bytes_max) {
        r->failed = true;
        return (struct slice){0};
    }
    const uint8_t *data = length == 0 ? NULL : take(r, length);
    return data == NULL ? (struct slice){0} : (struct slice){(const char *)data, (size_t)length};
}

static struct decimal get_decimal(struct reader *r)
{
    struct decimal value = {0};
    int scale = (int)get_byte(r);
    uint64_t folded = get_varint(r);
    int64_t mantissa = (int64_t)(folded >> 1 ^ (folded & 1 ? UINT64_MAX : 0));
    if (decimal_make(mantissa, scale < 128 ? scale : scale - 256, &value) < 0 ||
        decimal_is_negative(value)) {
        r->failed = true;
    }
    return value;
}

static int64_t get_time(struct reader *r)
{
    const uint8_t *at = take(r, sizeof(uint64_t));
    uint64_t time_us = at == NULL ? 0 : bytes_get_le64(at);
    if (time_us > (uint64_t)TIMESTAMP_MAX) {
        r->failed = true;
        return 0;
    }
    return (int64_t)time_us;
}

static uint64_t get_customer(struct reader *r)
{
    uint64_t customer = get_varint(r);
    if (customer == 0) {
        r->failed = true;
    }
    return customer;
}

/* --- labels ----------------------------------------------------------------------------------- */

size_t labels_encode(const struct label *labels, unsigned n, uint8_t *buffer)
{
    struct writer w = {.at = buffer};
    REQUIRE(n <= LIMIT_LABELS);
    for (unsigned i = 0; i < n; i++) {
        REQUIRE(i == 0 || slice_compare(labels[i - 1].name, labels[i].name) < 0);
        put_text(&w, labels[i].name, LIMIT_LABEL_NAME_BYTES);
        put_text(&w, labels[i].value, LIMIT_LABEL_VALUE_BYTES);
    }
    return (size_t)(w.at - buffer);
}

static struct label get_label(struct reader *r)
{
    struct slice name = get_text(r, LIMIT_LABEL_NAME_BYTES);
    return (struct label){.name = name, .value = get_text(r, LIMIT_LABEL_VALUE_BYTES)};
}

bool labels_next(struct slice *rest, struct label *ret)
{
    if (rest->length == 0) {
        return false;
    }
    struct reader r = reader_of(*rest);
    *ret = get_label(&r);
    INVARIANT(!r.failed); /* they were checked when they were decoded */
    size_t left = (size_t)(r.end - r.at);
    *rest = (struct slice){left == 0 ? NULL : (const char *)r.at, left};
    return true;
}

/* Whether labels_encode() makes ENCODED. */
static bool labels_are_valid(struct slice encoded)
{
    struct reader r = reader_of(encoded);
    struct label before;
    for (unsigned n = 0; r.at < r.end; n++) {
        struct label label = get_label(&r);
        if (r.failed || n == LIMIT_LABELS ||
            (n > 0 && slice_compare(before.name, label.name) >= 0)) {
            return false;
        }
        before = label;
    }
    return true;
}

/* --- records ---------------------------------------------------------------------------------- */

static void put_usage(struct writer *w, const struct usage *usage)
{
    struct amount amount;
    REQUIRE(!decimal_is_negative(usage->units) && !decimal_is_negative(usage->price));
    REQUIRE(amount_product(usage->units, usage->price, &amount) == 0);
    REQUIRE(usage->customer > 0 && usage->bills_at_us >= usage->occurred_at_us);
    put_varint(w, usage->customer);
    put_text(w, usage->service, LIMIT_SERVICE_BYTES);
    put_decimal(w, usage->units);
    put_decimal(w, usage->price);
    put_time(w, usage->occurred_at_us);
    if (usage->bills_at_us != usage->occurred_at_us) {
        put_time(w, usage->bills_at_us);
    }
    REQUIRE(labels_are_valid(usage->labels));
    put_text(w, usage->labels, LABELS_BYTES_MAX);
}

static unsigned flags_of(const struct record *record)
{
    unsigned flags = 0;
    if (record->kind == RECORD_USAGE) {
        flags |= record->usage.occurred_at_given ? FLAG_OCCURRED_AT_GIVEN : 0;
        flags |= record->usage.bills_at_us != record->usage.occurred_at_us ? FLAG_LATE : 0;
    }
    return flags;
}

size_t record_encode(const struct record *record, uint8_t *buffer)
{
    struct writer w = {.at = buffer};
    put_byte(&w, record->kind);
    put_byte(&w, flags_of(record));
    put_text(&w, record->request_id, LIMIT_REQUEST_ID_BYTES);
    put_text(&w, record->recorded_by, RECORD_RECORDED_BY_BYTES);
    switch (record->kind) {
    case RECORD_CUSTOMER_CREATED:
        put_text(&w, record->customer_created.name, LIMIT_CUSTOMER_NAME_BYTES);
        put_text(&w, record->customer_created.external_id, LIMIT_EXTERNAL_ID_BYTES);
        break;
    case RECORD_CUSTOMER_RENAMED:
        REQUIRE(record->customer_renamed.customer > 0);
        put_varint(&w, record->customer_renamed.customer);
        put_text(&w, record->customer_renamed.name, LIMIT_CUSTOMER_NAME_BYTES);
        break;
    case RECORD_USAGE:
        put_usage(&w, &record->usage);
        break;
    }
    return (size_t)(w.at - buffer);
}

static void get_usage(struct reader *r, unsigned flags, struct usage *ret)
{
    struct amount amount;
    ret->customer = get_customer(r);
    ret->service = get_text(r, LIMIT_SERVICE_BYTES);
    ret->units = get_decimal(r);
    ret->price = get_decimal(r);
    ret->occurred_at_us = get_time(r);
    ret->bills_at_us = flags & FLAG_LATE ? get_time(r) : ret->occurred_at_us;
    ret->occurred_at_given = (flags & FLAG_OCCURRED_AT_GIVEN) != 0;
    ret->labels = get_text(r, LABELS_BYTES_MAX);
    if ((flags & FLAG_LATE && ret->bills_at_us <= ret->occurred_at_us) ||
        flags & ~(unsigned)(FLAG_OCCURRED_AT_GIVEN | FLAG_LATE) ||
        amount_product(ret->units, ret->price, &amount) < 0 || !labels_are_valid(ret->labels)) {
        r->failed = true;
    }
}

int record_decode(const uint8_t *bytes, size_t length, struct record *ret)
{
    struct reader r = reader_of((struct slice){(const char *)bytes, length});
    unsigned kind = get_byte(&r);
    unsigned flags = get_byte(&r);
    ret->request_id = get_text(&r, LIMIT_REQUEST_ID_BYTES);
    ret->recorded_by = get_text(&r, RECORD_RECORDED_BY_BYTES);
    switch (kind) {
    case RECORD_CUSTOMER_CREATED:
        ret->customer_created.name = get_text(&r, LIMIT_CUSTOMER_NAME_BYTES);
        ret->customer_created.external_id = get_text(&r, LIMIT_EXTERNAL_ID_BYTES);
        break;
    case RECORD_CUSTOMER_RENAMED:
        ret->customer_renamed.customer = get_customer(&r);
        ret->customer_renamed.name = get_text(&r, LIMIT_CUSTOMER_NAME_BYTES);
        break;
    case RECORD_USAGE:
        get_usage(&r, flags, &ret->usage);
        break;
    default: /* bytes, not our enum */
        return STATUS_CORRUPT;
    }
    ret->kind = (enum record_kind)kind;
    bool flags_unknown = kind != RECORD_USAGE && flags != 0;
    return r.failed || flags_unknown || r.at != r.end ? STATUS_CORRUPT : 0;
}
