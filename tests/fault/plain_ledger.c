#include "tests/fault/plain_ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model/parts.h"

struct plain_ledger {
    struct model model;
    struct memory memory;
    struct customer customer; /* the only one */
};

struct plain_ledger *plain_ledger_create(void)
{
    struct plain_ledger *ledger = calloc(1, sizeof *ledger);
    if (ledger == NULL) {
        abort();
    }
    model_init(&ledger->model, &ledger->memory);
    return ledger;
}

void plain_ledger_destroy(struct plain_ledger *ledger)
{
    if (ledger == NULL) {
        return;
    }
    model_done(&ledger->model);
    memory_done(&ledger->memory);
    free(ledger);
}

/* --- records ---------------------------------------------------------------------------------- */

static struct entry *add_entry(struct plain_ledger *ledger, Billing__V1__BillRecord__Kind kind,
                               const struct plain_record *record)
{
    struct entry *entry = memory_alloc(&ledger->memory, sizeof *entry);
    int64_t until = model_billed_until(&ledger->model, &ledger->customer);
    entry->kind = kind;
    entry->customer = &ledger->customer;
    entry->id = memory_format(&ledger->memory, "%" PRIu64, record->seq);
    entry->service = record->service;
    entry->occurred_at = record->occurred_at_us;
    entry->bills_at = entry->occurred_at > until ? entry->occurred_at : until;
    mpz_inits(entry->units, entry->price, entry->amount, NULL);
    MEMORY_PUSH(&ledger->memory, ledger->model.entries, ledger->model.n_entries, entry);
    return entry;
}

static void read_number(const char *text, mpz_t ret)
{
    if (oracle_parse(text, strlen(text), ret) != ORACLE_FITS) {
        testkit_fail("'%s' is no number that anybody would record", text);
    }
}

int64_t plain_ledger_usage(struct plain_ledger *ledger, const struct plain_record *record)
{
    struct entry *entry = add_entry(ledger, BILLING__V1__BILL_RECORD__KIND__USAGE, record);
    mpz_t scale;
    read_number(record->units, entry->units);
    read_number(record->price, entry->price);
    mpz_init(scale);
    oracle_power(scale, ORACLE_SCALE);
    mpz_mul(entry->amount, entry->units, entry->price);
    mpz_divexact(entry->amount, entry->amount, scale);
    mpz_clear(scale);
    return entry->bills_at;
}

int64_t plain_ledger_adjustment(struct plain_ledger *ledger, const struct plain_record *record)
{
    struct entry *entry = add_entry(ledger, BILLING__V1__BILL_RECORD__KIND__ADJUSTMENT, record);
    read_number(record->amount, entry->amount);
    return entry->bills_at;
}

int64_t plain_ledger_void(struct plain_ledger *ledger, uint64_t usage_seq)
{
    char id[24];
    snprintf(id, sizeof id, "%" PRIu64, usage_seq);
    struct entry *usage =
        find_entry(&ledger->model, &ledger->customer, BILLING__V1__BILL_RECORD__KIND__USAGE, id);
    if (usage == NULL || usage->voided != NULL) {
        return -1;
    }
    /* from where its usage bills on */
    struct plain_record record = {.service = usage->service, .occurred_at_us = usage->bills_at};
    struct entry *entry = add_entry(ledger, BILLING__V1__BILL_RECORD__KIND__VOID, &record);
    entry->usage = usage;
    entry->occurred_at = usage->occurred_at;
    mpz_neg(entry->units, usage->units);
    mpz_set(entry->price, usage->price);
    mpz_neg(entry->amount, usage->amount);
    usage->voided = entry;
    return entry->bills_at;
}

int64_t plain_ledger_invoice(struct plain_ledger *ledger, int64_t end_us)
{
    int64_t start_us = invoice_start(&ledger->model, &ledger->customer, end_us);
    struct invoice *invoice = memory_alloc(&ledger->memory, sizeof *invoice);
    invoice->customer = &ledger->customer;
    invoice->message = MESSAGE_NEW(&ledger->memory, Billing__V1__Invoice, billing__v1__invoice);
    invoice->message->end = end_us;
    MEMORY_PUSH(&ledger->memory, ledger->model.invoices, ledger->model.n_invoices, invoice);
    return start_us;
}

/* --- bills ------------------------------------------------------------------------------------ */

static const char *lines_in_words(struct model *model, const struct sheet *sheet)
{
    const char *words = "";
    for (size_t i = 0; i < sheet->n_lines; i++) {
        const struct line *line = &sheet->lines[i];
        words = memory_format(
            model->step,
            "%s%s %s x %s = %s, %" PRIu64 " records, %" PRIu64 " voided, %" PRIu64 " late\n", words,
            line->service, number_words(model, line->price), number_words(model, line->units),
            number_words(model, line->exact), line->records, line->voided, line->late);
    }
    for (size_t i = 0; i < sheet->n_adjustments; i++) {
        const struct entry *entry = sheet->adjustments[i];
        words = memory_format(model->step, "%sadjustment %s = %s\n", words, entry->id,
                              number_words(model, entry->amount));
    }
    return words;
}

const char *plain_ledger_bill(struct plain_ledger *ledger, struct memory *memory, int64_t start_us,
                              int64_t end_us)
{
    struct sheet sheet;
    ledger->model.step = memory;
    sheet_init(&sheet, &ledger->model, &ledger->customer, start_us, end_us);
    const char *words = memory_format(
        memory, "%sexact %s, total %s\n", lines_in_words(&ledger->model, &sheet),
        number_words(&ledger->model, sheet.exact), number_words(&ledger->model, sheet.total));
    sheet_done(&sheet);
    return words;
}
