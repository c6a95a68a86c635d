#include "billingd/store/lmdb/keys_lmdb.h"

#include "billingd/base/assert.h"
#include "billingd/base/bytes.h"
#include "proto/timestamp.h"

enum {
    SEQ_BYTES = 8,
};

_Static_assert(KEY_BYTES_MAX >= SEQ_BYTES + LIMIT_REQUEST_ID_BYTES, "a request's key fits");
_Static_assert(KEY_BYTES_MAX >= (int)LIMIT_SERVICE_BYTES, "a service's key fits");

MDB_val key_seq(struct key *key, uint64_t seq)
{
    bytes_put_be64(key->bytes, seq);
    return (MDB_val){.mv_size = SEQ_BYTES, .mv_data = key->bytes};
}

MDB_val key_text(struct key *key, struct slice text)
{
    REQUIRE(text.length > 0 && text.length <= sizeof key->bytes);
    memcpy(key->bytes, text.data, text.length);
    return (MDB_val){.mv_size = text.length, .mv_data = key->bytes};
}

MDB_val key_position(struct key *key, uint64_t customer, struct store_position position)
{
    REQUIRE(position.time_us >= 0); /* or it would sort behind all others */
    bytes_put_be64(key->bytes, customer);
    bytes_put_be64(key->bytes + 8, (uint64_t)position.time_us);
    bytes_put_be64(key->bytes + 16, position.seq);
    return (MDB_val){.mv_size = KEY_POSITION_BYTES, .mv_data = key->bytes};
}

MDB_val key_invoice(struct key *key, uint64_t customer, uint64_t number)
{
    bytes_put_be64(key->bytes, customer);
    bytes_put_be64(key->bytes + 8, number);
    return (MDB_val){.mv_size = KEY_INVOICE_BYTES, .mv_data = key->bytes};
}

int key_parse_seq(MDB_val key, uint64_t *ret_seq)
{
    if (key.mv_size != SEQ_BYTES) {
        return STATUS_CORRUPT;
    }
    *ret_seq = bytes_get_be64(key.mv_data);
    return 0;
}

int key_parse_position(MDB_val key, uint64_t *ret_customer, struct store_position *ret_position)
{
    if (key.mv_size != KEY_POSITION_BYTES) {
        return STATUS_CORRUPT;
    }
    const uint8_t *bytes = key.mv_data;
    uint64_t time_us = bytes_get_be64(bytes + 8);
    if (time_us > (uint64_t)TIMESTAMP_MAX) {
        return STATUS_CORRUPT;
    }
    *ret_customer = bytes_get_be64(bytes);
    *ret_position = (struct store_position){(int64_t)time_us, bytes_get_be64(bytes + 16)};
    return 0;
}

int key_parse_invoice(MDB_val key, uint64_t *ret_customer, uint64_t *ret_number)
{
    if (key.mv_size != KEY_INVOICE_BYTES) {
        return STATUS_CORRUPT;
    }
    const uint8_t *bytes = key.mv_data;
    *ret_customer = bytes_get_be64(bytes);
    *ret_number = bytes_get_be64(bytes + 8);
    return 0;
}
