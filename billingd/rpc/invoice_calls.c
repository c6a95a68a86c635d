/* FinalizeInvoice, GetInvoice, ListInvoices. */
#include "billingd/base/bytes.h"
#include "billingd/ledger/invoice.h"
#include "billingd/rpc/cursor.h"
#include "billingd/rpc/fields.h"
#include "billingd/rpc/methods.h"
#include "billingd/rpc/problem.h"
#include "billingd/rpc/reply_bill.h"

/* --- invoices as messages --------------------------------------------------------------------- */

/* What Invoice and InvoiceTotals have in common. */
#define REPLY_INVOICE(request, m, record)                                                          \
    do {                                                                                           \
        const struct invoice *invoice_ = &(record)->invoice;                                       \
        reply_count(&(m)->has_number, &(m)->number, invoice_->number);                             \
        reply_id((request), &(m)->has_customer_id, &(m)->customer_id, OBJECT_CUSTOMER,             \
                 invoice_->customer);                                                              \
        reply_time(&(m)->has_start, &(m)->start, invoice_->start_us);                              \
        reply_time(&(m)->has_end, &(m)->end, invoice_->end_us);                                    \
        reply_text((request), &(m)->has_currency, &(m)->currency,                                  \
                   slice_of((request)->dispatch->options.currency));                               \
        REPLY_TOTALS((request), (m), invoice_->exact, invoice_->total);                            \
        reply_time(&(m)->has_finalized_at, &(m)->finalized_at, (record)->created_at_us);           \
        reply_count(&(m)->has_journal_position, &(m)->journal_position, invoice_->position);       \
        reply_digest((request), &(m)->has_digest, &(m)->digest, invoice_->digest);                 \
    } while (0)

static Billing__V1__Invoice *encode_invoice(struct request *request,
                                            const struct invoice_page *page)
{
    const struct record *record = &page->record;
    int minor_digits = record->invoice.minor_digits;
    Billing__V1__Invoice *m = arena_need(&request->arena, sizeof *m);
    billing__v1__invoice__init(m);
    REPLY_INVOICE(request, m, record);
    m->lines = arena_need(&request->arena, page->n_lines * sizeof *m->lines);
    for (; m->n_lines < page->n_lines; m->n_lines++) {
        m->lines[m->n_lines] = reply_bill_line(request, &page->lines[m->n_lines], minor_digits);
    }
    m->adjustments = arena_need(&request->arena, page->n_adjustments * sizeof *m->adjustments);
    for (; m->n_adjustments < page->n_adjustments; m->n_adjustments++) {
        m->adjustments[m->n_adjustments] =
            reply_bill_adjustment(request, &page->adjustments[m->n_adjustments], minor_digits);
    }
    reply_text(request, &m->has_request_id, &m->request_id, record->request_id);
    reply_text(request, &m->has_recorded_by, &m->recorded_by, record->recorded_by);
    return m;
}

/* The rest of an invoice is asked for by its number, also of one that has just been finalized. */
static void encode_cursor(struct request *request, const struct invoice_page *page,
                          Billing__V1__InvoiceReply *reply)
{
    Billing__V1__GetInvoice rest = BILLING__V1__GET_INVOICE__INIT;
    uint8_t position[8];
    rest.has_number = true;
    rest.number = page->record.invoice.number;
    bytes_put_be64(position, page->after + page->n_lines + page->n_adjustments);
    cursor_print_of(request, &rest.base, CURSOR_INVOICE,
                    (struct slice){(const char *)position, sizeof position},
                    &reply->has_next_cursor, &reply->next_cursor);
}

static Billing__V1__InvoiceReply *reply_with(struct request *request,
                                             const struct invoice_page *page)
{
    Billing__V1__InvoiceReply *reply = arena_need(&request->arena, sizeof *reply);
    billing__v1__invoice_reply__init(reply);
    reply->invoice = encode_invoice(request, page);
    if (page->more) {
        encode_cursor(request, page, reply);
    }
    return reply;
}

/* --- FinalizeInvoice -------------------------------------------------------------------------- */

struct finalize_args {
    struct invoice_finalize finalize;
    struct store_key key;
};

static void decode_period(struct request *request, const Billing__V1__FinalizeInvoice *m,
                          struct invoice *invoice)
{
    struct period period = {0, INT64_MAX};
    field_range(request, m->has_start, m->start, m->has_end, m->end, &period);
    field_require(request, "end", m->has_end);
    invoice->start_given = m->has_start;
    invoice->start_us = period.start_us;
    invoice->end_us = period.end_us;
}

static int finalize_decode(struct request *request)
{
    const Billing__V1__FinalizeInvoice *m = request->message->finalize_invoice;
    struct finalize_args *args = arena_need(&request->arena, sizeof *args);
    struct invoice_finalize *finalize = &args->finalize;
    request->args = args;
    field_refuse_unknown(request, -1, &m->base);
    field_customer(request, -1, m->has_customer_id, m->customer_id, &finalize->customer);
    decode_period(request, m, &finalize->asked.invoice);
    field_request_id_or_new(request, m->has_request_id, m->request_id, &finalize->asked.request_id);
    finalize->asked.recorded_by = request->who.name;
    finalize->limit = LIMIT_PAGE_MAX;
    invoice_finalize_init(finalize, &request->arena);
    return 0;
}

static int finalize_prepare(struct request *request, struct store_view *view,
                            const struct ledger_env *env)
{
    struct finalize_args *args = request->args;
    int rc = invoice_prepare(view, &request->arena, env, &args->finalize);
    request->next =
        args->finalize.outcome.status == STATUS_OUTDATED ? REQUEST_APPLY : REQUEST_ANSWER;
    return rc;
}

static int finalize_announce(struct request *request, struct store_txn *txn)
{
    struct finalize_args *args = request->args;
    args->key.scope = args->finalize.asked.invoice.customer; /* as it was prepared */
    args->key.request_id = args->finalize.asked.request_id;
    return store_announce(txn, &args->key, 1);
}

static int finalize_apply(struct request *request, struct store_txn *txn,
                          const struct ledger_env *env)
{
    struct finalize_args *args = request->args;
    int rc = invoice_finalize(txn, &request->arena, env, &args->finalize, &request->op.records);
    request->next =
        args->finalize.outcome.status == STATUS_OUTDATED ? REQUEST_PREPARE : REQUEST_ANSWER;
    return rc;
}

static void finalize_encode(struct request *request)
{
    const struct finalize_args *args = request->args;
    const struct outcome *outcome = &args->finalize.outcome;
    struct slice request_id = args->finalize.asked.request_id;
    reply_request_id(request, request_id, outcome->replayed);
    if (outcome->status != 0) {
        problem_reply(request, problem_of_outcome(request, outcome, request_id));
        return;
    }
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_FINALIZE_INVOICE;
    request->response.finalize_invoice = reply_with(request, &args->finalize.page);
}

/* --- GetInvoice ------------------------------------------------------------------------------- */

struct get_args {
    uint64_t number;
    struct invoice_page page;
};

static int get_decode(struct request *request)
{
    const Billing__V1__GetInvoice *m = request->message->get_invoice;
    struct get_args *args = arena_need(&request->arena, sizeof *args);
    request->args = args;
    field_refuse_unknown(request, -1, &m->base);
    field_invoice_number(request, m->has_number, m->number, &args->number);
    field_limit(request, m->has_limit, m->limit, LIMIT_PAGE_MAX, &args->page.limit);
    args->page.after = cursor_parse_number(request, CURSOR_INVOICE, m->has_cursor, m->cursor);
    return 0;
}

static int get_query(struct request *request, struct store_view *view, const struct ledger_env *env)
{
    struct get_args *args = request->args;
    (void)env;
    return invoice_get(view, &request->arena, args->number, &args->page);
}

static void get_encode(struct request *request)
{
    const struct get_args *args = request->args;
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_GET_INVOICE;
    request->response.get_invoice = reply_with(request, &args->page);
}

/* --- ListInvoices ----------------------------------------------------------------------------- */

static int list_decode(struct request *request)
{
    const Billing__V1__ListInvoices *m = request->message->list_invoices;
    struct invoice_list *list = arena_need(&request->arena, sizeof *list);
    request->args = list;
    field_refuse_unknown(request, -1, &m->base);
    list->of_customer = m->has_customer_id;
    if (m->has_customer_id) {
        field_customer(request, -1, m->has_customer_id, m->customer_id, &list->customer);
    }
    field_limit(request, m->has_limit, m->limit, LIMIT_PAGE_DEFAULT, &list->limit);
    list->after_number = cursor_parse_number(request, CURSOR_INVOICES, m->has_cursor, m->cursor);
    return 0;
}

static int list_query(struct request *request, struct store_view *view,
                      const struct ledger_env *env)
{
    (void)env;
    return invoice_list(view, &request->arena, request->args);
}

static Billing__V1__InvoiceTotals *encode_row(struct request *request, const struct record *record)
{
    Billing__V1__InvoiceTotals *m = arena_need(&request->arena, sizeof *m);
    billing__v1__invoice_totals__init(m);
    REPLY_INVOICE(request, m, record);
    return m;
}

static void list_encode(struct request *request)
{
    const struct invoice_list *list = request->args;
    Billing__V1__InvoicesReply *reply = arena_need(&request->arena, sizeof *reply);
    billing__v1__invoices_reply__init(reply);
    reply->invoices = arena_need(&request->arena, list->n * sizeof *reply->invoices);
    for (; reply->n_invoices < list->n; reply->n_invoices++) {
        reply->invoices[reply->n_invoices] = encode_row(request, &list->records[reply->n_invoices]);
    }
    if (list->more) {
        cursor_print_number(request, CURSOR_INVOICES, list->records[list->n - 1].invoice.number,
                            &reply->has_next_cursor, &reply->next_cursor);
    }
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_LIST_INVOICES;
    request->response.list_invoices = reply;
}

static const struct method methods[] = {
    {
        .call = BILLING__V1__REQUEST__CALL_FINALIZE_INVOICE,
        .name = "FinalizeInvoice",
        .lane = LANE_PREPARED_WRITE,
        .role = ROLE_WRITER,
        .every_service = true,
        .heavy = true,
        .decode = finalize_decode,
        .query = finalize_prepare,
        .announce = finalize_announce,
        .apply = finalize_apply,
        .encode = finalize_encode,
    },
    {
        .call = BILLING__V1__REQUEST__CALL_GET_INVOICE,
        .name = "GetInvoice",
        .lane = LANE_READ,
        .role = ROLE_READER,
        .decode = get_decode,
        .query = get_query,
        .encode = get_encode,
    },
    {
        .call = BILLING__V1__REQUEST__CALL_LIST_INVOICES,
        .name = "ListInvoices",
        .lane = LANE_READ,
        .role = ROLE_READER,
        .decode = list_decode,
        .query = list_query,
        .encode = list_encode,
    },
};

const struct method_family invoice_calls = {methods, sizeof methods / sizeof methods[0]};
