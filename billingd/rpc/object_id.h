/* Identifiers as callers see them: "cus_0g000000000w5bq3".
 *
 * A prefix for the kind, then 16 digits of Crockford's base 32 in lower case, 80 bits:
 *   4 bits   version of this layout, 0
 *   56 bits  sequence number of the record that made the thing
 *   20 bits  check: the low bits of XXH3-64 over prefix and number, keyed by the store's id_key
 * So an id leads to its record without an index, a mistyped one names nothing, and so does one of
 * another deployment: a test system's id pasted into production bills nobody.
 *
 * Pure; any thread. */
#pragma once

#include "billingd/base/arena.h"
#include "billingd/ledger/outcome.h"

enum object_kind {
    OBJECT_CUSTOMER,
    OBJECT_USAGE,
    OBJECT_VOID,
    OBJECT_ADJUSTMENT,
    OBJECT_KEY,
    OBJECT_INVOICE, /* named by its number, in place of a sequence number: "17" */
};

enum {
    OBJECT_ID_TEXT_MAX = 24, /* NUL included */
};

/* Print the id of the KIND of thing that record SEQ made, or the number of an invoice, into BUFFER
 * of OBJECT_ID_TEXT_MAX bytes.  Returns its length. */
size_t object_id_print(enum object_kind kind, uint64_t seq, uint64_t id_key, char *buffer);

/* The sequence number in TEXT, or 0 where TEXT is no id of that kind, not OBJECT_INVOICE, in this
 * store. */
uint64_t object_id_parse(enum object_kind kind, struct slice text, uint64_t id_key);

/* The kind of thing that a record of KIND made. */
enum object_kind object_kind_of(enum record_kind kind);
