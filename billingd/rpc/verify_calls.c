/* VerifyInvoice. */
#include <inttypes.h>

#include "billingd/base/log.h"
#include "billingd/ledger/invoice_verify.h"
#include "billingd/rpc/fields.h"
#include "billingd/rpc/methods.h"
#include "billingd/rpc/reply.h"

static int verify_decode(struct request *request)
{
    const Billing__V1__VerifyInvoice *m = request->message->verify_invoice;
    struct invoice_verify *verify = arena_need(&request->arena, sizeof *verify);
    request->args = verify;
    field_refuse_unknown(request, -1, &m->base);
    field_invoice_number(request, m->has_number, m->number, &verify->number);
    return 0;
}

static int verify_query(struct request *request, struct store_view *view,
                        const struct ledger_env *env)
{
    (void)env;
    return invoice_verify(view, &request->arena, request->args);
}

/* "records[usg_...]", or by its sequence number where the kind of record cannot be told. */
static void encode_what(struct request *request, const struct invoice_difference *difference,
                        Billing__V1__Difference *m)
{
    char id[OBJECT_ID_TEXT_MAX];
    int length = (int)difference->what.length;
    if (difference->seq == 0) {
        reply_text(request, &m->has_what, &m->what, difference->what);
    } else if (difference->kind == 0) {
        reply_printf(request, &m->has_what, &m->what, "%.*s[sequence number %" PRIu64 "]", length,
                     difference->what.data, difference->seq);
    } else {
        size_t id_length = object_id_print(object_kind_of(difference->kind), difference->seq,
                                           request->dispatch->id_key, id);
        reply_printf(request, &m->has_what, &m->what, "%.*s[%.*s]", length, difference->what.data,
                     (int)id_length, id);
    }
}

static Billing__V1__Difference *encode_difference(struct request *request,
                                                  const struct invoice_difference *difference)
{
    Billing__V1__Difference *m = arena_need(&request->arena, sizeof *m);
    billing__v1__difference__init(m);
    encode_what(request, difference, m);
    if (difference->invoice.length > 0) {
        reply_text(request, &m->has_invoice, &m->invoice, difference->invoice);
    }
    if (difference->computed.length > 0) {
        reply_text(request, &m->has_computed, &m->computed, difference->computed);
    }
    return m;
}

static void verify_encode(struct request *request)
{
    const struct invoice_verify *verify = request->args;
    Billing__V1__VerificationReply *reply = arena_need(&request->arena, sizeof *reply);
    Billing__V1__Verification *m = arena_need(&request->arena, sizeof *m);
    billing__v1__verification_reply__init(reply);
    billing__v1__verification__init(m);
    reply->verification = m;
    reply_count(&m->has_number, &m->number, verify->number);
    m->has_verified = true;
    m->verified = verify->n_differences == 0;
    if (!m->verified) {
        log_error(LOG_RPC, "invoice does not verify", LOG_INT("invoice", verify->number),
                  LOG_INT("differences", verify->n_differences));
    }
    reply_count(&m->has_records, &m->records, verify->records);
    if (verify->drafted) {
        reply_digest(request, &m->has_digest, &m->digest, verify->digest);
    }
    m->differences = arena_need(&request->arena, verify->n_differences * sizeof *m->differences);
    for (; m->n_differences < verify->n_differences; m->n_differences++) {
        m->differences[m->n_differences] =
            encode_difference(request, &verify->differences[m->n_differences]);
    }
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_VERIFY_INVOICE;
    request->response.verify_invoice = reply;
}

static const struct method methods[] = {
    {
        .call = BILLING__V1__REQUEST__CALL_VERIFY_INVOICE,
        .name = "VerifyInvoice",
        .lane = LANE_READ,
        .role = ROLE_READER,
        .heavy = true,
        .decode = verify_decode,
        .query = verify_query,
        .encode = verify_encode,
    },
};

const struct method_family verify_calls = {methods, sizeof methods / sizeof methods[0]};
