#include "billingd/ledger/invoice_verify.h"

#include <inttypes.h>
#include <stdlib.h>

#include "billingd/ledger/invoice_draft.h"
#include "billingd/ledger/invoice_entries.h"

/* An adjustment that the invoice must have. */
struct expected {
    uint64_t seq;
    bool seen; /* it has */
};

struct comparison {
    struct store_view *view;
    struct arena *arena;
    struct invoice_verify *verify;
    struct record invoice;
    struct invoice_draft draft;
    size_t next_line;             /* of those, the next to be compared */
    struct expected *adjustments; /* of the draft, by sequence number; in the arena */
};

/* --- what is found ---------------------------------------------------------------------------- */

static bool is_full(const struct comparison *c)
{
    return c->verify->n_differences == INVOICE_DIFFERENCES_MAX;
}

/* What a scan's callback returns: there may be millions of differences. */
static int go_on(const struct comparison *c)
{
    return is_full(c) ? STORE_SCAN_STOP : 0;
}

static void note(struct comparison *c, struct invoice_difference difference)
{
    if (!is_full(c)) {
        c->verify->differences[c->verify->n_differences++] = difference;
    }
}

static void note_record(struct comparison *c, const char *what, uint64_t seq, enum record_kind kind,
                        const char *invoice, const char *computed)
{
    note(c, (struct invoice_difference){
                .what = slice_of(what),
                .seq = seq,
                .kind = kind,
                .invoice = slice_of(invoice),
                .computed = slice_of(computed),
            });
}

/* A read met what nobody can have written.  WHAT is where; the record READING was read last, 0:
 * none in particular. */
static void note_damage(struct comparison *c, const char *what, uint64_t reading)
{
    uint64_t damaged = store_view_damaged(c->view);
    note_record(c, what, damaged == 0 ? reading : damaged, 0, "",
                damaged == 0 ? "damaged: what is stored does not fit together"
                             : "damaged: what is stored does not match its checksum");
}

static struct slice amount_text(struct comparison *c, struct amount amount)
{
    char text[AMOUNT_TEXT_MAX];
    size_t length = amount_print(amount, text);
    return arena_printf(c->arena, "%.*s", (int)length, text);
}

/* "lines[Database Hosting 0.05].records", or a MEMBER of the invoice itself, where LINE is NULL. */
static struct slice member_name(struct comparison *c, const struct bill_line *line,
                                const char *member)
{
    char price[DECIMAL_TEXT_MAX];
    if (line == NULL) {
        return slice_of(member);
    }
    size_t length = decimal_print(line->price, price);
    return arena_printf(c->arena, "lines[%.*s %.*s]%s", (int)line->service.length,
                        line->service.data, (int)length, price, member);
}

static void compare_amounts(struct comparison *c, const struct bill_line *line, const char *member,
                            struct amount invoice, struct amount computed)
{
    if (amount_compare(invoice, computed) != 0 && !is_full(c)) {
        note(c, (struct invoice_difference){
                    .what = member_name(c, line, member),
                    .invoice = amount_text(c, invoice),
                    .computed = amount_text(c, computed),
                });
    }
}

static void compare_counts(struct comparison *c, const struct bill_line *line, const char *member,
                           uint64_t invoice, uint64_t computed)
{
    if (invoice != computed && !is_full(c)) {
        note(c, (struct invoice_difference){
                    .what = member_name(c, line, member),
                    .invoice = arena_printf(c->arena, "%" PRIu64, invoice),
                    .computed = arena_printf(c->arena, "%" PRIu64, computed),
                });
    }
}

/* --- lines ------------------------------------------------------------------------------------ */

static void compare_line(struct comparison *c, const struct bill_line *invoice,
                         const struct bill_line *computed)
{
    compare_amounts(c, invoice, ".units_consumed", invoice->units, computed->units);
    compare_amounts(c, invoice, ".exact_amount", invoice->exact, computed->exact);
    compare_counts(c, invoice, ".records", invoice->records, computed->records);
    compare_counts(c, invoice, ".voided", invoice->voided, computed->voided);
    compare_counts(c, invoice, ".late", invoice->late, computed->late);
}

static void note_invoice_line(struct comparison *c, const struct bill_line *line)
{
    if (!is_full(c)) {
        note(c, (struct invoice_difference){.what = member_name(c, line, ""),
                                            .invoice = amount_text(c, line->exact)});
    }
}

static void note_computed_line(struct comparison *c, const struct bill_line *line)
{
    if (!is_full(c)) {
        note(c, (struct invoice_difference){.what = member_name(c, line, ""),
                                            .computed = amount_text(c, line->exact)});
    }
}

/* Both are in the order of bill_line_compare(). */
static void merge_line(struct comparison *c, const struct bill_line *invoice)
{
    for (; c->next_line < c->draft.lines.n; c->next_line++) {
        const struct bill_line *computed = c->draft.sorted[c->next_line];
        int order =
            bill_line_compare(computed->service, computed->price, invoice->service, invoice->price);
        if (order > 0) {
            break;
        }
        if (order == 0) {
            compare_line(c, invoice, computed);
            c->next_line++;
            return;
        }
        note_computed_line(c, computed);
    }
    note_invoice_line(c, invoice);
}

static void end_lines(struct comparison *c)
{
    for (; c->next_line < c->draft.lines.n; c->next_line++) {
        note_computed_line(c, c->draft.sorted[c->next_line]);
    }
}

/* --- adjustments ------------------------------------------------------------------------------ */

static int compare_expected(const void *a, const void *b)
{
    uint64_t seq_a = ((const struct expected *)a)->seq;
    uint64_t seq_b = ((const struct expected *)b)->seq;
    return (seq_a > seq_b) - (seq_a < seq_b);
}

static int begin_adjustments(struct comparison *c)
{
    size_t n = c->draft.n_adjustments;
    c->adjustments = arena_alloc_array(c->arena, n, sizeof *c->adjustments);
    if (c->adjustments == NULL) {
        return STATUS_TOO_LARGE;
    }
    for (size_t i = 0; i < n; i++) {
        c->adjustments[i].seq = c->draft.adjustments[i].position.seq;
    }
    qsort(c->adjustments, n, sizeof *c->adjustments, compare_expected);
    return 0;
}

/* The invoice has SEQ. */
static void meet_adjustment(struct comparison *c, uint64_t seq)
{
    struct expected key = {.seq = seq};
    struct expected *expected = bsearch(&key, c->adjustments, c->draft.n_adjustments,
                                        sizeof *c->adjustments, compare_expected);
    if (expected == NULL || expected->seen) {
        note_record(c, "adjustments", seq, RECORD_ADJUSTMENT, "is on the invoice", "");
    } else {
        expected->seen = true;
    }
}

static void end_adjustments(struct comparison *c)
{
    for (size_t i = 0; i < c->draft.n_adjustments; i++) {
        if (!c->adjustments[i].seen) {
            note_record(c, "adjustments", c->adjustments[i].seq, RECORD_ADJUSTMENT, "",
                        "bills in this period");
        }
    }
}

/* --- all -------------------------------------------------------------------------------------- */

static int compare_entry_cb(const struct invoice_entry *entry, void *arg)
{
    struct comparison *c = arg;
    if (entry->adjustment == 0) {
        merge_line(c, &entry->line);
    } else {
        meet_adjustment(c, entry->adjustment);
    }
    return go_on(c);
}

static int compare_entries(struct comparison *c)
{
    int rc = begin_adjustments(c);
    if (rc == 0) {
        rc = invoice_entries_scan(c->view, &c->invoice, compare_entry_cb, c);
    }
    if (rc == STATUS_CORRUPT) {
        note_damage(c, "entries", 0);
        return 0;
    }
    if (rc == 0) {
        end_lines(c);
        end_adjustments(c);
    }
    return rc;
}

static struct slice digest_text(struct comparison *c, const uint8_t digest[SHA256_BYTES])
{
    char text[SHA256_TEXT_BYTES];
    sha256_print(digest, text);
    return arena_printf(c->arena, "%.*s", (int)sizeof text, text);
}

static int compare_all(struct comparison *c)
{
    const struct invoice *invoice = &c->invoice.invoice;
    int rc = invoice_draft_finish(&c->draft, invoice->minor_digits);
    if (rc < 0) {
        return rc;
    }
    c->verify->drafted = true;
    memcpy(c->verify->digest, c->draft.digest, SHA256_BYTES);
    if (memcmp(invoice->digest, c->draft.digest, SHA256_BYTES) != 0) {
        note(c, (struct invoice_difference){.what = SLICE("digest"),
                                            .invoice = digest_text(c, invoice->digest),
                                            .computed = digest_text(c, c->draft.digest)});
    }
    compare_amounts(c, NULL, "exact_total", invoice->exact, c->draft.totals.exact);
    compare_amounts(c, NULL, "total", invoice->total, c->draft.totals.total);
    return compare_entries(c);
}

/* What bills within the period must have been there when it was invoiced. */
static int stray_cb(const struct record *record, void *arg)
{
    struct comparison *c = arg;
    if (!invoice_draft_is_about(&c->draft, record)) {
        return 0;
    }
    note_record(c, "records", record->seq, record->kind, "",
                "bills in this period, but was recorded behind the invoice's position");
    return go_on(c);
}

static int find_strays(struct comparison *c)
{
    return store_scan_journal(c->view, c->invoice.invoice.position, stray_cb, c);
}

static int compare(struct comparison *c)
{
    const struct invoice *invoice = &c->invoice.invoice;
    struct period period = {invoice->start_us, invoice->end_us};
    int rc =
        invoice_draft_recompute(&c->draft, c->view, invoice->customer, period, invoice->position);
    c->verify->records = c->draft.records;
    if (rc == 0) {
        rc = compare_all(c);
    }
    if (rc == 0) {
        rc = find_strays(c);
    }
    if (rc == STATUS_CORRUPT) {
        note_damage(c, "records", c->draft.reading);
        rc = 0;
    }
    return rc;
}

int invoice_verify(struct store_view *view, struct arena *arena, struct invoice_verify *verify)
{
    struct comparison c = {.view = view, .arena = arena, .verify = verify};
    verify->differences =
        arena_alloc_array(arena, INVOICE_DIFFERENCES_MAX, sizeof *verify->differences);
    if (verify->differences == NULL) {
        return STATUS_TOO_LARGE;
    }
    int rc = store_invoice(view, verify->number, &c.invoice);
    if (rc == STATUS_NOT_FOUND) {
        return STATUS_INVOICE_NOT_FOUND;
    }
    if (rc == STATUS_CORRUPT) {
        note_damage(&c, "invoice", 0);
        return 0;
    }
    if (rc < 0) {
        return rc;
    }
    invoice_draft_init(&c.draft, arena);
    return compare(&c);
}
