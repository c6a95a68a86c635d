/* Files to import: CSV, FOCUS and NDJSON, which the first byte chooses, and how the rest arrives.
 * However it does, the same rows come out of it; together they are the file; and no row that is to
 * be recorded lacks what it needs. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "billingctl/import_focus.h"
#include "billingctl/import_format.h"
#include "tests/fuzz/fuzz.h"

struct pieces {
    struct slice rest;
    size_t piece;
};

static ssize_t read_piece(void *arg, char *buffer, size_t bytes)
{
    struct pieces *pieces = arg;
    size_t take = pieces->piece < bytes ? pieces->piece : bytes;
    take = take < pieces->rest.length ? take : pieces->rest.length;
    if (take > 0) {
        memcpy(buffer, pieces->rest.data, take);
        pieces->rest.data += take;
        pieces->rest.length -= take;
    }
    return (ssize_t)take;
}

static void put(struct text *text, const char *name, const char *value)
{
    if (value != NULL) {
        text_printf(text, " %s=", name);
        text_put_json(text, value);
    }
}

static void check_row(const struct import_row *row, uint64_t line_before)
{
    FUZZ_CHECK(row->line > line_before && row->last_line >= row->line);
    FUZZ_CHECK(row->kind < IMPORT_KIND__COUNT && row->label_count <= BILLING_LABELS_MAX);
    FUZZ_CHECK(!row->rejected || row->reason.text[0] != '\0');
    FUZZ_CHECK(row->rejected || row->kind != IMPORT_VOID || row->voided_request_id != NULL);
    FUZZ_CHECK(row->rejected || row->kind != IMPORT_ADJUSTMENT || row->amount != NULL);
}

static void put_row(struct text *text, const struct import_row *row)
{
    text_printf(text, "%" PRIu64 "-%" PRIu64 " %d%s", row->line, row->last_line, (int)row->kind,
                row->rejected ? row->reason.text : "");
    put(text, "customer", row->customer);
    put(text, "name", row->customer_name);
    put(text, "currency", row->currency);
    put(text, "service", row->service);
    put(text, "units", row->units);
    put(text, "price", row->price);
    put(text, "amount", row->amount);
    put(text, "why", row->why);
    put(text, "voids", row->voided_request_id);
    put(text, "id", row->request_id);
    text_printf(text, " %" PRId64 "\n", row->has_time ? row->time_us : -1);
    for (size_t i = 0; i < row->label_count; i++) {
        put(text, row->labels[i].name, row->labels[i].value);
    }
}

/* Append what the rows of FILE, read PIECE bytes at a time, say. */
static void read_all(const struct import_format *format, struct slice file, size_t piece,
                     struct text *ret)
{
    struct pieces pieces = {file, piece};
    struct source source;
    struct import_reader reader;
    struct import_row row = {0};
    struct reason reason = {"?"};
    struct text raw = {0};
    uint64_t line = 0;
    source_init(&source, read_piece, &pieces);
    enum import_result result = import_reader_init(&reader, format, &source, &reason);
    text_puts(&raw, text_of(&reader.header));
    while (result == IMPORT_ROW) {
        result = import_reader_next(&reader, &row, &reason);
        if (result == IMPORT_ROW) {
            check_row(&row, line);
            line = row.last_line;
            put_row(ret, &row);
            text_put(&raw, row.raw, row.raw_length);
        }
    }
    FUZZ_CHECK(result == IMPORT_END || result == IMPORT_UNREADABLE);
    text_printf(ret, "%s\n", result == IMPORT_END ? "end" : reason.text);
    if (result == IMPORT_END) {
        FUZZ_CHECK(source.bytes_read == file.length);
        FUZZ_CHECK(raw.length <= file.length); /* empty lines and a mark at the start are no rows */
    }
    text_done(&raw);
    import_row_done(&row);
    import_reader_done(&reader);
    source_done(&source);
}

/* The request id of a row, and its reason, are such as the daemon takes. */
static void check_focus_texts(struct slice file)
{
    struct text id = {0};
    struct text why = {0};
    struct reason reason;
    char *text = fuzz_string(file);
    if (import_focus_request_id("2024-09-01T00:00:00Z", text, text, &id, &reason)) {
        FUZZ_CHECK(id.length > 0 && id.length <= BILLING_REQUEST_ID_BYTES_MAX);
        for (size_t i = 0; i < id.length; i++) {
            FUZZ_CHECK(id.data[i] >= ' ' && id.data[i] <= '~');
        }
    }
    import_focus_reason(text, text, &why);
    FUZZ_CHECK(why.length <= IMPORT_FOCUS_REASON_BYTES_MAX);
    text_done(&why);
    text_done(&id);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct import_format *const formats[] = {&import_csv, &import_ndjson,
                                                          &import_focus};
    struct fuzz_input input = {data, size};
    uint8_t choice = fuzz_byte(&input);
    const struct import_format *format = formats[choice % 3];
    struct slice file = fuzz_rest(&input);
    struct text whole = {0};
    struct text bytes = {0};
    struct text cut = {0};
    read_all(format, file, SIZE_MAX, &whole);
    read_all(format, file, 1, &bytes);
    read_all(format, file, 2 + choice / 3, &cut);
    FUZZ_CHECK(strcmp(text_of(&whole), text_of(&bytes)) == 0);
    FUZZ_CHECK(strcmp(text_of(&whole), text_of(&cut)) == 0);
    check_focus_texts(file);
    text_done(&whole);
    text_done(&bytes);
    text_done(&cut);
    return 0;
}
