#include "billingd/ledger/invoice_entries.h"

/* --- writing ---------------------------------------------------------------------------------- */

/* One record while it fills. */
struct piece {
    struct store_txn *txn;
    uint64_t invoice;
    unsigned records; /* that are appended */
    size_t length;
    uint8_t bytes[INVOICE_ENTRIES_BYTES_MAX];
};

static int flush(struct piece *piece)
{
    struct record record = {
        .kind = RECORD_INVOICE_ENTRIES,
        .invoice_entries = {.invoice = piece->invoice,
                            .entries = {(const char *)piece->bytes, piece->length}},
    };
    if (piece->length == 0) {
        return 0;
    }
    piece->length = 0;
    piece->records++;
    return store_append(piece->txn, &record);
}

static int add(struct piece *piece, const struct invoice_entry *entry)
{
    int rc = 0;
    if (sizeof piece->bytes - piece->length < INVOICE_ENTRY_BYTES_MAX) {
        rc = flush(piece);
    }
    piece->length += invoice_entry_encode(entry, piece->bytes + piece->length);
    return rc;
}

int invoice_entries_append(struct store_txn *txn, const struct record *invoice,
                           const struct invoice_draft *draft, unsigned *ret_records)
{
    struct piece piece = {.txn = txn, .invoice = invoice->seq};
    int rc = 0;
    for (size_t i = 0; i < draft->lines.n && rc == 0; i++) {
        rc = add(&piece, &(struct invoice_entry){.line = *draft->sorted[i]});
    }
    for (size_t i = 0; i < draft->n_adjustments && rc == 0; i++) {
        struct invoice_entry entry = {.adjustment = draft->adjustments[i].position.seq};
        rc = add(&piece, &entry);
    }
    if (rc == 0) {
        rc = flush(&piece);
    }
    *ret_records = piece.records;
    return rc;
}

/* --- reading ---------------------------------------------------------------------------------- */

struct count {
    uint64_t lines;
    uint64_t adjustments;
};

static int scan_piece(const struct invoice *invoice, struct slice entries, struct count *count,
                      invoice_entry_fn entry_cb, void *arg)
{
    struct invoice_entry entry;
    while (invoice_entries_next(&entries, &entry)) {
        if (entry.adjustment == 0 && count->adjustments > 0) {
            return STATUS_CORRUPT;
        }
        count->lines += entry.adjustment == 0;
        count->adjustments += entry.adjustment != 0;
        if (count->lines > invoice->n_lines || count->adjustments > invoice->n_adjustments) {
            return STATUS_CORRUPT;
        }
        int rc = entry_cb(&entry, arg);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

int invoice_entries_scan(struct store_view *view, const struct record *invoice,
                         invoice_entry_fn entry_cb, void *arg)
{
    const struct invoice *about = &invoice->invoice;
    struct count count = {0};
    struct record piece;
    for (uint64_t seq = invoice->seq + 1;
         count.lines < about->n_lines || count.adjustments < about->n_adjustments; seq++) {
        int rc = store_record(view, seq, &piece);
        if (rc == STATUS_NOT_FOUND ||
            (rc == 0 && (piece.kind != RECORD_INVOICE_ENTRIES ||
                         piece.invoice_entries.invoice != invoice->seq))) {
            return STATUS_CORRUPT;
        }
        if (rc == 0) {
            rc = scan_piece(about, piece.invoice_entries.entries, &count, entry_cb, arg);
        }
        if (rc != 0) {
            return rc == STORE_SCAN_STOP ? 0 : rc;
        }
    }
    return 0;
}
