#include "billingd/store/record.h"

#include "billingd/store/codec.h"
#include "billingd/store/record_key.h"

enum { /* flags: which ones a kind may have stands in get_kind().  Stored: never renumber. */
       FLAG_OCCURRED_AT_GIVEN = 1 << 0,
       FLAG_LATE = 1 << 1,        /* bills_at stands behind occurred_at */
       FLAG_START_GIVEN = 1 << 2, /* of an invoice */
};

enum record_kind record_last_kind(unsigned format)
{
    static const enum record_kind last[] = {
        [1] = RECORD_USAGE,
        [2] = RECORD_SERVICE_DELETED,
        [3] = RECORD_KEY_USED,
    };
    return last[format <= RECORD_FORMAT ? format : RECORD_FORMAT];
}

/* --- what a record is about ------------------------------------------------------------------- */

uint64_t record_customer(const struct record *record)
{
    switch (record->kind) {
    case RECORD_CUSTOMER_CREATED:
        return record->seq;
    case RECORD_CUSTOMER_RENAMED:
        return record->customer_renamed.customer;
    case RECORD_USAGE:
        return record->usage.customer;
    case RECORD_USAGE_VOIDED:
        return record->usage_voided.customer;
    case RECORD_ADJUSTMENT:
        return record->adjustment.customer;
    case RECORD_INVOICE:
        return record->invoice.customer;
    case RECORD_INVOICE_ENTRIES:
    case RECORD_SERVICE_PUT:
    case RECORD_SERVICE_DELETED:
    case RECORD_KEY_CREATED:
    case RECORD_KEY_REVOKED:
    case RECORD_KEY_USED:
        break;
    }
    return 0;
}

uint64_t record_scope(const struct record *record)
{
    return record->kind == RECORD_CUSTOMER_CREATED ? 0 : record_customer(record);
}

bool record_times(const struct record *record, int64_t *ret_occurred_us, int64_t *ret_bills_at_us)
{
    switch (record->kind) {
    case RECORD_USAGE:
        *ret_occurred_us = record->usage.occurred_at_us;
        *ret_bills_at_us = record->usage.bills_at_us;
        return true;
    case RECORD_USAGE_VOIDED:
        *ret_occurred_us = record->usage_voided.occurred_at_us;
        *ret_bills_at_us = record->usage_voided.bills_at_us;
        return true;
    case RECORD_ADJUSTMENT:
        *ret_occurred_us = record->adjustment.occurred_at_us;
        *ret_bills_at_us = record->adjustment.bills_at_us;
        return true;
    case RECORD_CUSTOMER_CREATED:
    case RECORD_CUSTOMER_RENAMED:
    case RECORD_INVOICE:
    case RECORD_INVOICE_ENTRIES:
    case RECORD_SERVICE_PUT:
    case RECORD_SERVICE_DELETED:
    case RECORD_KEY_CREATED:
    case RECORD_KEY_REVOKED:
    case RECORD_KEY_USED:
        break;
    }
    return false;
}

unsigned record_texts(struct record *record, struct slice *ret_texts[RECORD_TEXTS_MAX])
{
    unsigned n = 0;
    ret_texts[n++] = &record->request_id;
    ret_texts[n++] = &record->recorded_by;
    switch (record->kind) {
    case RECORD_CUSTOMER_CREATED:
        ret_texts[n++] = &record->customer_created.name;
        ret_texts[n++] = &record->customer_created.external_id;
        break;
    case RECORD_CUSTOMER_RENAMED:
        ret_texts[n++] = &record->customer_renamed.name;
        break;
    case RECORD_USAGE:
        ret_texts[n++] = &record->usage.service;
        ret_texts[n++] = &record->usage.labels;
        break;
    case RECORD_USAGE_VOIDED:
        ret_texts[n++] = &record->usage_voided.reason;
        break;
    case RECORD_ADJUSTMENT:
        ret_texts[n++] = &record->adjustment.service;
        ret_texts[n++] = &record->adjustment.reason;
        break;
    case RECORD_INVOICE:
        break;
    case RECORD_INVOICE_ENTRIES:
        ret_texts[n++] = &record->invoice_entries.entries;
        break;
    case RECORD_SERVICE_PUT:
        ret_texts[n++] = &record->service_put.name;
        ret_texts[n++] = &record->service_put.unit;
        break;
    case RECORD_SERVICE_DELETED:
        ret_texts[n++] = &record->service_deleted.name;
        break;
    case RECORD_KEY_CREATED:
        ret_texts[n++] = &record->key_created.name;
        ret_texts[n++] = &record->key_created.services;
        break;
    case RECORD_KEY_REVOKED:
        ret_texts[n++] = &record->key_revoked.name;
        break;
    case RECORD_KEY_USED:
        ret_texts[n++] = &record->key_used.uses;
        break;
    }
    return n;
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
    *rest = rest_of(&r);
    return true;
}

/* Whether labels_encode() makes ENCODED. */
static bool labels_are_valid(struct slice encoded)
{
    struct reader r = reader_of(encoded);
    struct label before = {0};
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

/* --- invoice entries -------------------------------------------------------------------------- */

size_t invoice_entry_encode(const struct invoice_entry *entry, uint8_t *buffer)
{
    struct writer w = {.at = buffer};
    const struct bill_line *line = &entry->line;
    put_varint(&w, entry->adjustment);
    if (entry->adjustment == 0) {
        REQUIRE(!decimal_is_negative(line->price));
        put_text(&w, line->service, LIMIT_SERVICE_BYTES);
        put_decimal(&w, line->price);
        put_amount(&w, line->units);
        put_amount(&w, line->exact);
        put_varint(&w, line->records);
        put_varint(&w, line->voided);
        put_varint(&w, line->late);
    }
    return (size_t)(w.at - buffer);
}

static struct invoice_entry get_entry(struct reader *r)
{
    struct invoice_entry entry = {.adjustment = get_varint(r)};
    if (entry.adjustment == 0) {
        entry.line.service = get_text(r, LIMIT_SERVICE_BYTES);
        entry.line.price = get_decimal(r);
        entry.line.units = get_amount(r);
        entry.line.exact = get_amount(r);
        entry.line.records = get_varint(r);
        entry.line.voided = get_varint(r);
        entry.line.late = get_varint(r);
        r->failed |= decimal_is_negative(entry.line.price);
    }
    return entry;
}

bool invoice_entries_next(struct slice *rest, struct invoice_entry *ret)
{
    if (rest->length == 0) {
        return false;
    }
    struct reader r = reader_of(*rest);
    *ret = get_entry(&r);
    INVARIANT(!r.failed); /* they were checked when they were decoded */
    *rest = rest_of(&r);
    return true;
}

/* Whether one or more invoice_entry_encode() make ENCODED. */
static bool entries_are_valid(struct slice encoded)
{
    struct reader r = reader_of(encoded);
    while (r.at < r.end && !r.failed) {
        get_entry(&r);
    }
    return encoded.length > 0 && !r.failed;
}

/* --- writing records -------------------------------------------------------------------------- */

static void put_times(struct writer *w, int64_t occurred_at_us, int64_t bills_at_us)
{
    REQUIRE(bills_at_us >= occurred_at_us);
    put_time(w, occurred_at_us);
    if (bills_at_us != occurred_at_us) {
        put_time(w, bills_at_us);
    }
}

static void put_usage(struct writer *w, const struct usage *usage)
{
    struct amount amount;
    REQUIRE(!decimal_is_negative(usage->units) && !decimal_is_negative(usage->price));
    REQUIRE(amount_product(usage->units, usage->price, &amount) == 0);
    put_seq(w, usage->customer);
    put_text(w, usage->service, LIMIT_SERVICE_BYTES);
    put_decimal(w, usage->units);
    put_decimal(w, usage->price);
    put_times(w, usage->occurred_at_us, usage->bills_at_us);
    REQUIRE(labels_are_valid(usage->labels));
    put_text(w, usage->labels, LABELS_BYTES_MAX);
}

static void put_voided(struct writer *w, const struct usage_voided *voided)
{
    put_seq(w, voided->customer);
    put_seq(w, voided->usage);
    put_times(w, voided->occurred_at_us, voided->bills_at_us);
    put_text(w, voided->reason, LIMIT_REASON_BYTES);
}

/* Whether VALUE is within the bound of all amounts of money. */
static bool is_amount(struct decimal value)
{
    struct decimal one;
    struct amount amount;
    return decimal_make(1, 0, &one) == 0 && amount_product(value, one, &amount) == 0;
}

static void put_adjustment(struct writer *w, const struct adjustment *adjustment)
{
    REQUIRE(is_amount(adjustment->amount));
    put_seq(w, adjustment->customer);
    put_text(w, adjustment->service, LIMIT_SERVICE_BYTES);
    put_text(w, adjustment->reason, LIMIT_REASON_BYTES);
    put_decimal(w, adjustment->amount);
    put_times(w, adjustment->occurred_at_us, adjustment->bills_at_us);
}

static void put_invoice(struct writer *w, const struct invoice *invoice)
{
    REQUIRE(invoice->start_us < invoice->end_us);
    REQUIRE(invoice->minor_digits >= 0 && invoice->minor_digits <= AMOUNT_FRACTION_MAX);
    put_seq(w, invoice->customer);
    put_seq(w, invoice->number);
    put_time(w, invoice->start_us);
    put_time(w, invoice->end_us);
    put_varint(w, invoice->position);
    put_byte(w, (unsigned)invoice->minor_digits);
    put_varint(w, invoice->n_lines);
    put_varint(w, invoice->n_adjustments);
    put_amount(w, invoice->exact);
    put_amount(w, invoice->total);
    memcpy(w->at, invoice->digest, sizeof invoice->digest);
    w->at += sizeof invoice->digest;
}

static void put_entries(struct writer *w, const struct invoice_entries *entries)
{
    REQUIRE(entries_are_valid(entries->entries));
    put_seq(w, entries->invoice);
    put_text(w, entries->entries, INVOICE_ENTRIES_BYTES_MAX);
}

/* Of a service in the catalogue: it has one. */
static void put_name(struct writer *w, struct slice name)
{
    REQUIRE(name.length > 0);
    put_text(w, name, LIMIT_SERVICE_BYTES);
}

static void put_kind(struct writer *w, const struct record *record)
{
    switch (record->kind) {
    case RECORD_CUSTOMER_CREATED:
        put_text(w, record->customer_created.name, LIMIT_CUSTOMER_NAME_BYTES);
        put_text(w, record->customer_created.external_id, LIMIT_EXTERNAL_ID_BYTES);
        break;
    case RECORD_CUSTOMER_RENAMED:
        put_seq(w, record->customer_renamed.customer);
        put_text(w, record->customer_renamed.name, LIMIT_CUSTOMER_NAME_BYTES);
        break;
    case RECORD_USAGE:
        put_usage(w, &record->usage);
        break;
    case RECORD_USAGE_VOIDED:
        put_voided(w, &record->usage_voided);
        break;
    case RECORD_ADJUSTMENT:
        put_adjustment(w, &record->adjustment);
        break;
    case RECORD_INVOICE:
        put_invoice(w, &record->invoice);
        break;
    case RECORD_INVOICE_ENTRIES:
        put_entries(w, &record->invoice_entries);
        break;
    case RECORD_SERVICE_PUT:
        put_name(w, record->service_put.name);
        put_text(w, record->service_put.unit, LIMIT_UNIT_BYTES);
        break;
    case RECORD_SERVICE_DELETED:
        put_name(w, record->service_deleted.name);
        break;
    case RECORD_KEY_CREATED:
        put_key_created(w, &record->key_created);
        break;
    case RECORD_KEY_REVOKED:
        put_key_revoked(w, &record->key_revoked);
        break;
    case RECORD_KEY_USED:
        put_key_used(w, &record->key_used);
        break;
    }
}

static unsigned flags_of(const struct record *record)
{
    int64_t occurred_us = 0;
    int64_t bills_at_us = 0;
    unsigned flags = 0;
    if (record_times(record, &occurred_us, &bills_at_us) && occurred_us != bills_at_us) {
        flags |= FLAG_LATE;
    }
    if ((record->kind == RECORD_USAGE && record->usage.occurred_at_given) ||
        (record->kind == RECORD_ADJUSTMENT && record->adjustment.occurred_at_given)) {
        flags |= FLAG_OCCURRED_AT_GIVEN;
    }
    if (record->kind == RECORD_INVOICE && record->invoice.start_given) {
        flags |= FLAG_START_GIVEN;
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
    put_kind(&w, record);
    return (size_t)(w.at - buffer);
}

/* --- reading records -------------------------------------------------------------------------- */

static void get_times(struct reader *r, unsigned flags, int64_t *ret_occurred_us,
                      int64_t *ret_bills_at_us)
{
    *ret_occurred_us = get_time(r);
    *ret_bills_at_us = *ret_occurred_us;
    if ((flags & FLAG_LATE) != 0) {
        *ret_bills_at_us = get_time(r);
        r->failed |= *ret_bills_at_us <= *ret_occurred_us;
    }
}

static void get_usage(struct reader *r, unsigned flags, struct usage *ret)
{
    struct amount amount;
    ret->customer = get_seq(r);
    ret->service = get_text(r, LIMIT_SERVICE_BYTES);
    ret->units = get_decimal(r);
    ret->price = get_decimal(r);
    get_times(r, flags, &ret->occurred_at_us, &ret->bills_at_us);
    ret->occurred_at_given = (flags & FLAG_OCCURRED_AT_GIVEN) != 0;
    ret->labels = get_text(r, LABELS_BYTES_MAX);
    r->failed |= decimal_is_negative(ret->units) || decimal_is_negative(ret->price) ||
                 amount_product(ret->units, ret->price, &amount) < 0 ||
                 !labels_are_valid(ret->labels);
}

static void get_voided(struct reader *r, unsigned flags, struct usage_voided *ret)
{
    ret->customer = get_seq(r);
    ret->usage = get_seq(r);
    get_times(r, flags, &ret->occurred_at_us, &ret->bills_at_us);
    ret->reason = get_text(r, LIMIT_REASON_BYTES);
}

static void get_adjustment(struct reader *r, unsigned flags, struct adjustment *ret)
{
    ret->customer = get_seq(r);
    ret->service = get_text(r, LIMIT_SERVICE_BYTES);
    ret->reason = get_text(r, LIMIT_REASON_BYTES);
    ret->amount = get_decimal(r);
    get_times(r, flags, &ret->occurred_at_us, &ret->bills_at_us);
    ret->occurred_at_given = (flags & FLAG_OCCURRED_AT_GIVEN) != 0;
    r->failed |= !is_amount(ret->amount);
}

static void get_invoice(struct reader *r, unsigned flags, struct invoice *ret)
{
    ret->customer = get_seq(r);
    ret->number = get_seq(r);
    ret->start_us = get_time(r);
    ret->end_us = get_time(r);
    ret->start_given = (flags & FLAG_START_GIVEN) != 0;
    ret->position = get_varint(r);
    ret->minor_digits = (int)get_byte(r);
    ret->n_lines = get_varint(r);
    ret->n_adjustments = get_varint(r);
    ret->exact = get_amount(r);
    ret->total = get_amount(r);
    const uint8_t *digest = take(r, sizeof ret->digest);
    if (digest != NULL) {
        memcpy(ret->digest, digest, sizeof ret->digest);
    }
    r->failed |= ret->start_us >= ret->end_us || ret->minor_digits > AMOUNT_FRACTION_MAX;
}

static void get_entries(struct reader *r, struct invoice_entries *ret)
{
    ret->invoice = get_seq(r);
    ret->entries = get_text(r, INVOICE_ENTRIES_BYTES_MAX);
    r->failed |= !entries_are_valid(ret->entries);
}

static struct slice get_name(struct reader *r)
{
    struct slice name = get_text(r, LIMIT_SERVICE_BYTES);
    r->failed |= name.length == 0;
    return name;
}

/* Returns the flags that the kind may have. */
static unsigned get_kind(struct reader *r, unsigned kind, unsigned flags, struct record *ret)
{
    switch (kind) {
    case RECORD_CUSTOMER_CREATED:
        ret->customer_created.name = get_text(r, LIMIT_CUSTOMER_NAME_BYTES);
        ret->customer_created.external_id = get_text(r, LIMIT_EXTERNAL_ID_BYTES);
        return 0;
    case RECORD_CUSTOMER_RENAMED:
        ret->customer_renamed.customer = get_seq(r);
        ret->customer_renamed.name = get_text(r, LIMIT_CUSTOMER_NAME_BYTES);
        return 0;
    case RECORD_USAGE:
        get_usage(r, flags, &ret->usage);
        return FLAG_OCCURRED_AT_GIVEN | FLAG_LATE;
    case RECORD_USAGE_VOIDED:
        get_voided(r, flags, &ret->usage_voided);
        return FLAG_LATE;
    case RECORD_ADJUSTMENT:
        get_adjustment(r, flags, &ret->adjustment);
        return FLAG_OCCURRED_AT_GIVEN | FLAG_LATE;
    case RECORD_INVOICE:
        get_invoice(r, flags, &ret->invoice);
        return FLAG_START_GIVEN;
    case RECORD_INVOICE_ENTRIES:
        get_entries(r, &ret->invoice_entries);
        return 0;
    case RECORD_SERVICE_PUT:
        ret->service_put.name = get_name(r);
        ret->service_put.unit = get_text(r, LIMIT_UNIT_BYTES);
        return 0;
    case RECORD_SERVICE_DELETED:
        ret->service_deleted.name = get_name(r);
        return 0;
    case RECORD_KEY_CREATED:
        get_key_created(r, &ret->key_created);
        return 0;
    case RECORD_KEY_REVOKED:
        get_key_revoked(r, &ret->key_revoked);
        return 0;
    case RECORD_KEY_USED:
        get_key_used(r, &ret->key_used);
        return 0;
    default: /* bytes, not our enum */
        r->failed = true;
        return 0;
    }
}

int record_decode(const uint8_t *bytes, size_t length, struct record *ret)
{
    struct reader r = reader_of((struct slice){(const char *)bytes, length});
    unsigned kind = get_byte(&r);
    unsigned flags = get_byte(&r);
    ret->request_id = get_text(&r, LIMIT_REQUEST_ID_BYTES);
    ret->recorded_by = get_text(&r, RECORD_RECORDED_BY_BYTES);
    unsigned allowed = get_kind(&r, kind, flags, ret);
    ret->kind = (enum record_kind)kind;
    return r.failed || (flags & ~allowed) != 0 || r.at != r.end ? STATUS_CORRUPT : 0;
}
