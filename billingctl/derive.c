#include "billingctl/derive.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include <billing/billing.h>

/* With its length in front, so that no two lists of parts make the same text. */
static void put_part(struct text *text, const char *part)
{
    size_t length = strlen(part);
    text_put_count(text, length);
    text_put(text, ":", 1);
    text_put(text, part, length);
}

static void put_field(struct text *text, const char *name, const char *value)
{
    if (value != NULL) {
        put_part(text, name);
        put_part(text, value);
    }
}

/* 0.050 is recorded as 0.05 is. */
static void put_number(struct text *text, const char *name, const char *value)
{
    char canonical[BILLING_DECIMAL_TEXT_MAX];
    bool fits = value != NULL && billing_decimal_check(value, canonical, NULL) == 0;
    put_field(text, name, fits ? canonical : value);
}

static int compare_labels(const void *a, const void *b)
{
    const struct import_label *label_a = a;
    const struct import_label *label_b = b;
    return strcmp(label_a->name, label_b->name);
}

static void put_labels(struct text *text, const struct import_row *row)
{
    struct import_label labels[BILLING_LABELS_MAX];
    memcpy(labels, row->labels, row->label_count * sizeof *labels);
    qsort(labels, row->label_count, sizeof *labels, compare_labels);
    for (size_t i = 0; i < row->label_count; i++) {
        put_part(text, "label");
        put_field(text, labels[i].name, labels[i].value);
    }
}

static struct derive_hash hash_of(const struct text *text)
{
    struct derive_hash hash;
    SHA256((const unsigned char *)text_of(text), text->length, hash.bytes);
    return hash;
}

static void put_digits(const struct derive_hash *hash, struct text *ret)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < DERIVE_HASH_BYTES; i++) {
        text_put(ret, &digits[hash->bytes[i] >> 4], 1);
        text_put(ret, &digits[hash->bytes[i] & 15], 1);
    }
}

struct derive_hash derive_hash_row(const struct import_row *row)
{
    struct text text = {0};
    put_field(&text, "customer_id", row->customer);
    put_field(&text, "service", row->service);
    put_number(&text, "units_consumed", row->units);
    put_number(&text, "price_per_unit", row->price);
    if (row->has_time) {
        put_part(&text, "occurred_at");
        text_put_count(&text, (uint64_t)row->time_us);
        text_put(&text, ";", 1);
    }
    put_labels(&text, row);
    if (row->kind == IMPORT_ADJUSTMENT) {
        put_number(&text, "amount", row->amount);
    }
    put_field(&text, "reason", row->why);
    put_field(&text, "voided_request_id", row->voided_request_id);
    struct derive_hash hash = hash_of(&text);
    text_done(&text);
    return hash;
}

void derive_put_id(const struct derive_hash *hash, uint64_t before, struct text *ret)
{
    text_puts(ret, "derived:");
    put_digits(hash, ret);
    text_put(ret, ":", 1);
    text_put_count(ret, before);
}

struct derive_hash derive_hash_parts(const char *const *parts, size_t count)
{
    struct text text = {0};
    for (size_t i = 0; i < count; i++) {
        put_part(&text, parts[i]);
    }
    struct derive_hash hash = hash_of(&text);
    text_done(&text);
    return hash;
}

void derive_put_hash(const char *const *parts, size_t count, struct text *ret)
{
    struct derive_hash hash = derive_hash_parts(parts, count);
    put_digits(&hash, ret);
}
