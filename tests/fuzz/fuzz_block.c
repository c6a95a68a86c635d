/* Journal blocks and records: bytes from a disk that may lie.  What is opened gives records that
 * encode to the very bytes that they were decoded from, and a block of them is the block that was
 * opened.  The checksum is made right first, since else nothing would come past it. */
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "billingd/base/bytes.h"
#include "billingd/store/block.h"
#include "tests/fuzz/fuzz.h"

/* --- records ---------------------------------------------------------------------------------- */

static void check_labels(struct slice labels)
{
    struct label list[LIMIT_LABELS];
    uint8_t encoded[LABELS_BYTES_MAX];
    struct slice rest = labels;
    unsigned n = 0;
    while (n < LIMIT_LABELS && labels_next(&rest, &list[n])) {
        n++;
    }
    FUZZ_CHECK(rest.length == 0);
    size_t length = labels_encode(list, n, encoded);
    FUZZ_CHECK(slice_equal((struct slice){(const char *)encoded, length}, labels));
}

static void check_entries(struct slice entries)
{
    struct slice rest = entries;
    struct invoice_entry entry;
    while (rest.length > 0) {
        uint8_t encoded[INVOICE_ENTRY_BYTES_MAX];
        struct slice before = rest;
        FUZZ_CHECK(invoice_entries_next(&rest, &entry));
        FUZZ_CHECK(rest.length < before.length);
        before.length -= rest.length;
        size_t length = invoice_entry_encode(&entry, encoded);
        FUZZ_CHECK(slice_equal((struct slice){(const char *)encoded, length}, before));
    }
    FUZZ_CHECK(!invoice_entries_next(&rest, &entry));
}

static void check_record(struct record *record, struct slice bytes)
{
    uint8_t encoded[RECORD_BYTES_MAX];
    struct slice *texts[RECORD_TEXTS_MAX];
    int64_t occurred_us;
    int64_t bills_at_us;
    size_t length = record_encode(record, encoded);
    FUZZ_CHECK(slice_equal((struct slice){(const char *)encoded, length}, bytes));
    if (record->kind == RECORD_USAGE) {
        check_labels(record->usage.labels);
    }
    if (record->kind == RECORD_INVOICE_ENTRIES) {
        check_entries(record->invoice_entries.entries);
    }
    if (record_times(record, &occurred_us, &bills_at_us)) {
        FUZZ_CHECK(occurred_us >= 0 && occurred_us <= bills_at_us);
    }
    FUZZ_CHECK(record_texts(record, texts) <= RECORD_TEXTS_MAX);
    FUZZ_CHECK(record_scope(record) == 0 || record_scope(record) == record_customer(record));
}

static void decode_record(struct slice bytes)
{
    struct record record = {0};
    char *copy = fuzz_copy(bytes);
    int status = record_decode((const uint8_t *)copy, bytes.length, &record);
    FUZZ_CHECK(status == 0 || status == STATUS_CORRUPT);
    if (status == 0) {
        check_record(&record, bytes);
    }
    free(copy);
}

/* --- blocks ----------------------------------------------------------------------------------- */

/* Whether all records of BLOCK are whole, and then WRITER has them. */
static bool copy_records(const struct block *block, struct block_writer *writer)
{
    for (uint32_t i = 0; i < block->count; i++) {
        struct record record = {0};
        int status = block_record(block, block->heading.first_seq + i, &record);
        FUZZ_CHECK(status == 0 || status == STATUS_CORRUPT);
        if (status != 0) {
            return false;
        }
        FUZZ_CHECK(record.seq == block->heading.first_seq + i);
        FUZZ_CHECK(block_writer_add(writer, &record));
    }
    return true;
}

static void check_block(const struct block *block)
{
    struct block_writer *writer;
    FUZZ_CHECK(block_writer_create(BLOCK_BYTES_MAX, &writer) == 0);
    FUZZ_CHECK(!block_has(block, block->heading.first_seq - 1));
    FUZZ_CHECK(!block_has(block, block->heading.first_seq + block->count));
    if (copy_records(block, writer) && block->record_format == RECORD_FORMAT) {
        FUZZ_CHECK(block_writer_bytes(writer) == block->length);
        uint8_t *bytes = malloc(block->length);
        FUZZ_CHECK(bytes != NULL);
        block_writer_seal(writer, &block->heading, bytes);
        FUZZ_CHECK(memcmp(bytes, block->bytes, block->length) == 0);
        free(bytes);
    }
    block_writer_destroy(writer);
}

static void open_block(struct slice bytes)
{
    struct block block;
    const char *why = NULL;
    uint8_t *copy = (uint8_t *)fuzz_copy(bytes);
    if (bytes.length >= BLOCK_CHECKSUM_BYTES) {
        size_t checked = bytes.length - BLOCK_CHECKSUM_BYTES;
        bytes_put_le64(copy + checked, XXH3_64bits(copy, checked));
    }
    int status = block_open(copy, bytes.length, &block, &why);
    FUZZ_CHECK(status == 0 || status == STATUS_CORRUPT || status == STATUS_NOT_IMPLEMENTED);
    if (status == 0) {
        check_block(&block);
    } else {
        FUZZ_CHECK(why != NULL);
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = {(const char *)data, size};
    decode_record(bytes);
    open_block(bytes);
    return 0;
}
