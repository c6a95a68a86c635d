/* Invoices are made. */
#include <string.h>

#include "proto/timestamp.h"
#include "tests/model/write.h"

/* Whether CUSTOMER has an entry that bills from START to before END. */
static bool has_entries(const struct model *model, const struct customer *customer, int64_t start,
                        int64_t end)
{
    for (size_t i = 0; i < model->n_entries; i++) {
        const struct entry *entry = model->entries[i];
        if (entry->customer == customer && entry->bills_at >= start && entry->bills_at < end) {
            return true;
        }
    }
    return false;
}

/* The first invoice that reaches END, or NULL. */
static const struct invoice *find_finalized(const struct write *write, int64_t end)
{
    for (size_t i = 0; i < write->model->n_invoices; i++) {
        const struct invoice *invoice = write->model->invoices[i];
        if (invoice->customer == write->scope && invoice->message->end >= end) {
            return invoice;
        }
    }
    return NULL;
}

static void name_invoice(struct write *write, const struct invoice *invoice)
{
    write->refusal->existing =
        memory_format(write->model->step, "%llu", (unsigned long long)invoice->message->number);
}

/* Whether there can be an invoice from START. */
static bool check_period(struct write *write, const Billing__V1__FinalizeInvoice *m, int64_t start)
{
    const struct invoice *finalized = find_finalized(write, m->end);
    int64_t until = model_billed_until(write->model, write->scope);
    if (m->end > write->model->now) {
        return write_refuse(write, "end", STATUS_PERIOD_NOT_CLOSED);
    }
    if (finalized != NULL) {
        name_invoice(write, finalized);
        if (!m->has_start ||
            (finalized->message->start == start && finalized->message->end == m->end)) {
            write->refusal->status = STATUS_ALREADY_FINALIZED;
            return false;
        }
    } else if (start < until) {
        name_invoice(write, find_finalized(write, start + 1));
    }
    if (start < until || has_entries(write->model, write->scope, until, start)) {
        return write_refuse(write, "start", STATUS_NOT_CONTIGUOUS);
    }
    return true;
}

/* The digest that was answered, if it is one. */
static const char *learn_digest(struct write *write)
{
    const char *digest = write_learn(write, "digest");
    return strspn(digest, "0123456789abcdef") == 64 && digest[64] == '\0' ? digest
                                                                          : "64 hexadecimal digits";
}

static uint64_t learn_position(const struct write *write)
{
    const struct model *model = write->model;
    uint64_t position = write->got->result_case == BILLING__V1__RESPONSE__RESULT_FINALIZE_INVOICE &&
                                write->got->finalize_invoice->invoice != NULL
                            ? write->got->finalize_invoice->invoice->journal_position
                            : 0;
    uint64_t last = model->n_invoices == 0
                        ? 0
                        : model->invoices[model->n_invoices - 1]->message->journal_position;
    return position > last ? position : last + 1; /* it moves on: at least by that invoice */
}

static Billing__V1__Invoice *invoice_message(struct write *write, const struct sheet *sheet,
                                             int64_t start, int64_t end)
{
    struct model *model = write->model;
    Billing__V1__Invoice *m = MESSAGE_NEW(model->step, Billing__V1__Invoice, billing__v1__invoice);
    PUT(m, number, model->n_invoices + 1);
    PUT_TEXT(m, customer_id, write_owner(write)->id);
    PUT(m, start, start);
    PUT(m, end, end);
    PUT_TEXT(m, currency, "USD");
    m->lines = sheet_lines(sheet, model);
    m->n_lines = sheet->n_lines;
    m->adjustments = sheet_adjustments(sheet, model);
    m->n_adjustments = sheet->n_adjustments;
    PUT_TEXT(m, exact_total, number_words(model, sheet->exact));
    PUT_TEXT(m, total, number_words(model, sheet->total));
    PUT_TEXT(m, rounding, number_words(model, sheet->rounding));
    PUT(m, finalized_at, model->now);
    PUT(m, journal_position, learn_position(write));
    PUT_TEXT(m, digest, learn_digest(write));
    PUT_TEXT(m, request_id, write_request_id(write));
    PUT_TEXT(m, recorded_by, model->recorded_by);
    return m;
}

static void add_invoice(struct write *write, int64_t start, int64_t until)
{
    struct model *model = write->model;
    struct sheet sheet;
    struct invoice *invoice = memory_alloc(model->memory, sizeof *invoice);
    sheet_init(&sheet, model, write->scope, start, until);
    Billing__V1__Invoice *message = invoice_message(write, &sheet, start, until);
    invoice->customer = write->scope;
    invoice->records = sheet.entries;
    invoice->message = message_copy(model->memory, message);
    sheet_done(&sheet);
    MEMORY_PUSH(model->memory, model->invoices, model->n_invoices, invoice);
    write->answer->result_case = BILLING__V1__RESPONSE__RESULT_FINALIZE_INVOICE;
    write->answer->finalize_invoice =
        MESSAGE_NEW(model->step, Billing__V1__InvoiceReply, billing__v1__invoice_reply);
    write->answer->finalize_invoice->invoice = message;
    write_end(write, write->scope,
              memory_format(model->memory, "%llu", (unsigned long long)message->number),
              message_text(model->memory, message->request_id));
}

static bool is_time(int64_t time)
{
    return time >= 0 && time <= TIMESTAMP_MAX;
}

void write_finalize_invoice(struct write *write, const Billing__V1__FinalizeInvoice *m)
{
    write_check_time(write, "start", m->has_start, m->start);
    write_check_time(write, "end", m->has_end, m->end);
    if (!m->has_end) {
        refusal_add(write->refusal, "end", STATUS_MISSING_FIELD);
    } else if (is_time(m->end) && (m->has_start && is_time(m->start) ? m->start : 0) >= m->end) {
        refusal_add(write->refusal, "end", STATUS_OUT_OF_BOUNDS);
    }
    write_check_request_id(write);
    if (!write_begin(write)) {
        return;
    }
    int64_t start = m->has_start ? m->start : invoice_start(write->model, write->scope, m->end);
    if (check_period(write, m, start)) {
        add_invoice(write, start, m->end);
    }
}
