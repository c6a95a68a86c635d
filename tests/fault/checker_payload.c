/* One record against the request that it comes from. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "billingd/rpc/object_id.h"
#include "tests/fault/checker_parts.h"

struct payload_check {
    struct check *check;
    const struct record *record;
    const struct logged_request *request;
    bool acknowledged;
};

static void note_wrong(const struct payload_check *p, const char *what, const char *got,
                       const char *expected)
{
    if (p->check->options->garbled && !p->acknowledged) {
        return; /* who asks again for what he meant is told that it is another */
    }
    check_note(p->check, &p->check->result->wrong_payload,
               "request %zu ('%s'), record %" PRIu64 ": %s is '%s' in place of '%s'",
               p->request->index, p->request->request_id, p->record->seq, what, got, expected);
}

static void same_text(const struct payload_check *p, const char *what, struct slice got,
                      const char *expected)
{
    if (!slice_equal(got, slice_of(expected == NULL ? "" : expected))) {
        char shown[64];
        snprintf(shown, sizeof shown, "%.*s", (int)got.length, got.data == NULL ? "" : got.data);
        note_wrong(p, what, shown, expected == NULL ? "" : expected);
    }
}

static void same_decimal(const struct payload_check *p, const char *what, struct decimal got,
                         const char *expected)
{
    char printed[DECIMAL_TEXT_MAX];
    decimal_print(got, printed);
    if (strcmp(printed, expected) != 0) {
        note_wrong(p, what, printed, expected);
    }
}

static void same_number(const struct payload_check *p, const char *what, int64_t got,
                        int64_t expected)
{
    if (got != expected) {
        char shown[2][24];
        snprintf(shown[0], sizeof shown[0], "%" PRId64, got);
        snprintf(shown[1], sizeof shown[1], "%" PRId64, expected);
        note_wrong(p, what, shown[0], shown[1]);
    }
}

/* What follows from all that is there: which is more than is known, where bytes were changed. */
static void same_consequence(const struct payload_check *p, const char *what, int64_t got,
                             int64_t expected)
{
    if (!p->check->options->garbled) {
        same_number(p, what, got, expected);
    }
}

static void same_label(const struct payload_check *p, struct slice labels, const char *expected)
{
    struct label label = {0};
    if (labels_next(&labels, &label)) {
        same_text(p, "the label's name", label.name, LOGGED_LABEL);
    }
    same_text(p, "the label", label.value, expected);
    same_number(p, "bytes of further labels", (int64_t)labels.length, 0);
}

/* When it occurred: as was said, or when it came in, which is what its record says. */
static int64_t occurred_at(const struct payload_check *p, int64_t got_us, bool given)
{
    int64_t asked_us = p->request->payload.occurred_at_us;
    same_number(p, "occurred_at was given", given, asked_us != 0);
    int64_t expected_us = asked_us != 0 ? asked_us : p->record->created_at_us;
    same_number(p, "occurred_at", got_us, expected_us);
    return expected_us;
}

/* --- kinds ------------------------------------------------------------------------------------ */

static void see_customer(const struct payload_check *p)
{
    struct check *check = p->check;
    const struct customer_created *created = &p->record->customer_created;
    same_text(p, "the name", created->name, p->request->payload.name);
    same_text(p, "the external id", created->external_id, p->request->payload.external_id);
    struct checked_customer *customer = memory_alloc(&check->memory, sizeof *customer);
    customer->seq = p->record->seq;
    customer->request = p->request;
    customer->ledger = plain_ledger_create();
    MEMORY_PUSH(&check->memory, check->customers, check->n_customers, customer);
}

static int64_t see_usage(const struct payload_check *p, struct checked_customer *customer)
{
    const struct logged_payload *asked = &p->request->payload;
    const struct usage *usage = &p->record->usage;
    same_text(p, "the service", usage->service, asked->service);
    same_decimal(p, "units", usage->units, asked->units);
    same_decimal(p, "the price", usage->price, asked->price);
    same_label(p, usage->labels, asked->label);
    struct plain_record plain = {
        .seq = p->record->seq,
        .service = asked->service,
        .units = asked->units,
        .price = asked->price,
        .occurred_at_us = occurred_at(p, usage->occurred_at_us, usage->occurred_at_given),
    };
    return plain_ledger_usage(customer->ledger, &plain);
}

static int64_t see_void(const struct payload_check *p, struct checked_customer *customer)
{
    const struct logged_payload *asked = &p->request->payload;
    const struct usage_voided *voided = &p->record->usage_voided;
    uint64_t usage_seq = p->check->found[asked->usage->index];
    same_text(p, "the reason", voided->reason, asked->reason);
    same_number(p, "what it voids", (int64_t)voided->usage, (int64_t)usage_seq);
    return plain_ledger_void(customer->ledger, usage_seq);
}

static int64_t see_adjustment(const struct payload_check *p, struct checked_customer *customer)
{
    const struct logged_payload *asked = &p->request->payload;
    const struct adjustment *adjustment = &p->record->adjustment;
    same_text(p, "the service", adjustment->service, asked->service);
    same_text(p, "the reason", adjustment->reason, asked->reason);
    same_decimal(p, "the amount", adjustment->amount, asked->amount);
    struct plain_record plain = {
        .seq = p->record->seq,
        .service = asked->service,
        .amount = asked->amount,
        .occurred_at_us = occurred_at(p, adjustment->occurred_at_us, adjustment->occurred_at_given),
    };
    return plain_ledger_adjustment(customer->ledger, &plain);
}

static void see_invoice(const struct payload_check *p, struct checked_customer *customer)
{
    struct check *check = p->check;
    const struct logged_payload *asked = &p->request->payload;
    const struct invoice *invoice = &p->record->invoice;
    int64_t start_us = plain_ledger_invoice(customer->ledger, asked->end_us);
    same_consequence(p, "its start", invoice->start_us,
                     asked->start_us != 0 ? asked->start_us : start_us);
    same_number(p, "its end", invoice->end_us, asked->end_us);
    same_consequence(p, "its number", (int64_t)invoice->number, (int64_t)check->n_invoices + 1);
    struct checked_invoice seen = {
        .customer = customer,
        .number = check->n_invoices + 1,
        .start_us = invoice->start_us,
        .end_us = asked->end_us,
    };
    MEMORY_PUSH(&check->memory, check->invoices, check->n_invoices, seen);
    customer->billed_until_us = asked->end_us;
    check->last_invoice_seq = p->record->seq;
}

/* What stands on bills, as RECORD itself, and as it has to by the plain ledger. */
static void see_billable(const struct payload_check *p, struct checked_customer *customer)
{
    int64_t occurred_at_us;
    int64_t bills_at_us;
    int64_t expected_us = 0;
    if (p->record->kind == RECORD_USAGE) {
        expected_us = see_usage(p, customer);
    } else if (p->record->kind == RECORD_USAGE_VOIDED) {
        expected_us = see_void(p, customer);
    } else {
        expected_us = see_adjustment(p, customer);
    }
    if (!record_times(p->record, &occurred_at_us, &bills_at_us)) {
        abort();
    }
    same_consequence(p, "bills_at", bills_at_us, expected_us);
    customer->records++;
    MEMORY_PUSH(&p->check->memory, customer->bills_at, customer->n_bills_at, bills_at_us);
}

/* --- the answer ------------------------------------------------------------------------------- */

/* The sequence number, or of an invoice the number, that the answer's id says; 0: it is no id. */
static uint64_t seq_of_id(const struct payload_check *p)
{
    const char *id = p->request->answer.id;
    enum object_kind kind = object_kind_of(p->record->kind);
    return kind == OBJECT_INVOICE ? strtoull(id, NULL, 10)
                                  : object_id_parse(kind, slice_of(id), p->check->id_key);
}

static void see_answer(const struct payload_check *p)
{
    const struct logged_answer *answer = &p->request->answer;
    const struct record *record = p->record;
    int64_t occurred_at_us;
    int64_t bills_at_us;
    uint64_t number = record->kind == RECORD_INVOICE ? record->invoice.number : record->seq;
    bool right =
        (answer->id == NULL || seq_of_id(p) == number) &&
        (answer->seq == 0 || answer->seq == record->seq) &&
        (answer->created_at_us == 0 || answer->created_at_us == record->created_at_us) &&
        (answer->bills_at_us == 0 || !record_times(record, &occurred_at_us, &bills_at_us) ||
         answer->bills_at_us == bills_at_us);
    if (!right) {
        check_note(p->check, &p->check->result->wrong_answer,
                   "request %zu ('%s') was answered with id %s, sequence number %" PRIu64
                   ", created %" PRId64 ", bills %" PRId64 ", which record %" PRIu64 " is not",
                   p->request->index, p->request->request_id, answer->id == NULL ? "-" : answer->id,
                   answer->seq, answer->created_at_us, answer->bills_at_us, record->seq);
    }
}

/* --- the whole -------------------------------------------------------------------------------- */

static enum record_kind kind_of(enum logged_kind kind)
{
    static const enum record_kind kinds[] = {
        [LOGGED_CUSTOMER] = RECORD_CUSTOMER_CREATED, [LOGGED_USAGE] = RECORD_USAGE,
        [LOGGED_VOID] = RECORD_USAGE_VOIDED,         [LOGGED_ADJUSTMENT] = RECORD_ADJUSTMENT,
        [LOGGED_INVOICE] = RECORD_INVOICE,
    };
    return kinds[kind];
}

void check_record(struct check *check, const struct record *record,
                  const struct logged_request *request)
{
    struct payload_check p = {
        .check = check,
        .record = record,
        .request = request,
        .acknowledged = logged_outcome_at(request, check->until_tick) == LOGGED_ACKNOWLEDGED,
    };
    if (record->kind != kind_of(request->payload.kind)) {
        same_number(&p, "its kind", record->kind, kind_of(request->payload.kind));
        return;
    }
    struct checked_customer *customer = check_customer(check, record_customer(record));
    if (record->kind == RECORD_CUSTOMER_CREATED) {
        see_customer(&p);
    } else if (record->kind == RECORD_INVOICE) {
        see_invoice(&p, customer);
    } else {
        see_billable(&p, customer);
    }
    if (p.acknowledged) {
        see_answer(&p);
    }
}
