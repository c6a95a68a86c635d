/* A message for each call, for tests at the desk.  What is NULL is left out; everything is the
 * kit's memory.  Main thread. */
#pragma once

#include "tests/lib/desk.h"
#include "tests/lib/testkit.h"

#define CALL(name) BILLING__V1__REQUEST__CALL_##name

#define assert_field(field, expected) assert_text((field).data, (field).len, (expected))

static inline Billing__V1__Response *call(struct desk *desk, Billing__V1__Request__CallCase which,
                                          void *message)
{
    Billing__V1__Response *response = desk_call(desk, desk_request(which, message));
    if (response->result_case != BILLING__V1__RESPONSE__RESULT_PROBLEM) {
        assert_int_equal(response->result_case, which); /* a result has its call's number */
    }
    return response;
}

static inline Billing__V1__GetCustomer *get_customer_input(const char *customer_id)
{
    Billing__V1__GetCustomer *m = testkit_alloc(sizeof *m);
    billing__v1__get_customer__init(m);
    DESK_SET(m, customer_id, customer_id);
    return m;
}

static inline Billing__V1__UpdateCustomer *update_input(const char *customer_id, const char *name)
{
    Billing__V1__UpdateCustomer *m = testkit_alloc(sizeof *m);
    billing__v1__update_customer__init(m);
    DESK_SET(m, customer_id, customer_id);
    DESK_SET(m, customer_name, name);
    return m;
}

static inline Billing__V1__ListCustomers *list_customers_input(const char *external_id)
{
    Billing__V1__ListCustomers *m = testkit_alloc(sizeof *m);
    billing__v1__list_customers__init(m);
    DESK_SET(m, external_id, external_id);
    return m;
}

static inline Billing__V1__GetUsage *get_usage_input(const char *customer_id, const char *usage_id)
{
    Billing__V1__GetUsage *m = testkit_alloc(sizeof *m);
    billing__v1__get_usage__init(m);
    DESK_SET(m, customer_id, customer_id);
    DESK_SET(m, usage_id, usage_id);
    return m;
}

static inline Billing__V1__ListUsage *list_usage_input(const char *customer_id)
{
    Billing__V1__ListUsage *m = testkit_alloc(sizeof *m);
    billing__v1__list_usage__init(m);
    DESK_SET(m, customer_id, customer_id);
    return m;
}

static inline Billing__V1__GetBill *bill_input(const char *customer_id)
{
    Billing__V1__GetBill *m = testkit_alloc(sizeof *m);
    billing__v1__get_bill__init(m);
    DESK_SET(m, customer_id, customer_id);
    return m;
}

static inline Billing__V1__GetRequest *get_request_input(const char *customer_id,
                                                         const char *request_id)
{
    Billing__V1__GetRequest *m = testkit_alloc(sizeof *m);
    billing__v1__get_request__init(m);
    DESK_SET(m, customer_id, customer_id);
    DESK_SET(m, request_id, request_id);
    return m;
}

static inline Billing__V1__GetServerInfo *info_input(void)
{
    Billing__V1__GetServerInfo *m = testkit_alloc(sizeof *m);
    billing__v1__get_server_info__init(m);
    return m;
}

static inline Billing__V1__CheckHealth *health_input(void)
{
    Billing__V1__CheckHealth *m = testkit_alloc(sizeof *m);
    billing__v1__check_health__init(m);
    return m;
}

static inline Billing__V1__UsageInput *usage_input(const char *customer_id, const char *request_id)
{
    return desk_usage_input(customer_id, "Database Hosting", "58", "0.05", request_id);
}

static inline Billing__V1__VoidUsage *void_input(const char *customer_id, const char *usage_id,
                                                 const char *reason, const char *request_id)
{
    Billing__V1__VoidUsage *m = testkit_alloc(sizeof *m);
    billing__v1__void_usage__init(m);
    DESK_SET(m, customer_id, customer_id);
    DESK_SET(m, usage_id, usage_id);
    DESK_SET(m, reason, reason);
    DESK_SET(m, request_id, request_id);
    return m;
}

static inline Billing__V1__GetVoid *get_void_input(const char *customer_id, const char *usage_id)
{
    Billing__V1__GetVoid *m = testkit_alloc(sizeof *m);
    billing__v1__get_void__init(m);
    DESK_SET(m, customer_id, customer_id);
    DESK_SET(m, usage_id, usage_id);
    return m;
}

static inline Billing__V1__CreateAdjustment *adjustment_input(const char *customer_id,
                                                              const char *amount,
                                                              const char *reason,
                                                              const char *request_id)
{
    Billing__V1__CreateAdjustment *m = testkit_alloc(sizeof *m);
    billing__v1__create_adjustment__init(m);
    DESK_SET(m, customer_id, customer_id);
    DESK_SET(m, amount, amount);
    DESK_SET(m, reason, reason);
    DESK_SET(m, request_id, request_id);
    return m;
}

static inline Billing__V1__ListAdjustments *list_adjustments_input(const char *customer_id)
{
    Billing__V1__ListAdjustments *m = testkit_alloc(sizeof *m);
    billing__v1__list_adjustments__init(m);
    DESK_SET(m, customer_id, customer_id);
    return m;
}

static inline Billing__V1__PutService *put_service_input(const char *name, const char *unit)
{
    Billing__V1__PutService *m = testkit_alloc(sizeof *m);
    billing__v1__put_service__init(m);
    DESK_SET(m, name, name);
    DESK_SET(m, unit, unit);
    return m;
}

static inline Billing__V1__GetService *get_service_input(const char *name)
{
    Billing__V1__GetService *m = testkit_alloc(sizeof *m);
    billing__v1__get_service__init(m);
    DESK_SET(m, name, name);
    return m;
}

static inline Billing__V1__DeleteService *delete_service_input(const char *name)
{
    Billing__V1__DeleteService *m = testkit_alloc(sizeof *m);
    billing__v1__delete_service__init(m);
    DESK_SET(m, name, name);
    return m;
}

static inline Billing__V1__ListServices *list_services_input(void)
{
    Billing__V1__ListServices *m = testkit_alloc(sizeof *m);
    billing__v1__list_services__init(m);
    return m;
}

static inline Billing__V1__ListBills *list_bills_input(void)
{
    Billing__V1__ListBills *m = testkit_alloc(sizeof *m);
    billing__v1__list_bills__init(m);
    return m;
}

static inline Billing__V1__FinalizeInvoice *finalize_input(const char *customer_id, int64_t end_us,
                                                           const char *request_id)
{
    Billing__V1__FinalizeInvoice *m = testkit_alloc(sizeof *m);
    billing__v1__finalize_invoice__init(m);
    DESK_SET(m, customer_id, customer_id);
    DESK_SET(m, request_id, request_id);
    m->has_end = true;
    m->end = end_us;
    return m;
}

static inline Billing__V1__GetInvoice *get_invoice_input(uint64_t number)
{
    Billing__V1__GetInvoice *m = testkit_alloc(sizeof *m);
    billing__v1__get_invoice__init(m);
    m->has_number = true;
    m->number = number;
    return m;
}

static inline Billing__V1__ListInvoices *list_invoices_input(const char *customer_id)
{
    Billing__V1__ListInvoices *m = testkit_alloc(sizeof *m);
    billing__v1__list_invoices__init(m);
    DESK_SET(m, customer_id, customer_id);
    return m;
}

static inline Billing__V1__VerifyInvoice *verify_input(uint64_t number)
{
    Billing__V1__VerifyInvoice *m = testkit_alloc(sizeof *m);
    billing__v1__verify_invoice__init(m);
    m->has_number = true;
    m->number = number;
    return m;
}

/* --- API keys --------------------------------------------------------------------------------- */

/* A key with ROLE, of N services (names). */
static inline Billing__V1__CreateKey *create_key_input(const char *name, Billing__V1__Role role,
                                                       const char *const *services, size_t n)
{
    Billing__V1__CreateKey *m = testkit_alloc(sizeof *m);
    billing__v1__create_key__init(m);
    DESK_SET(m, name, name);
    m->has_role = true;
    m->role = role;
    m->services = testkit_alloc((n + 1) * sizeof *m->services);
    for (; m->n_services < n; m->n_services++) {
        m->services[m->n_services] = raw_bytes(services[m->n_services]);
    }
    return m;
}

static inline Billing__V1__ListKeys *list_keys_input(bool include_revoked)
{
    Billing__V1__ListKeys *m = testkit_alloc(sizeof *m);
    billing__v1__list_keys__init(m);
    m->has_include_revoked = true;
    m->include_revoked = include_revoked;
    return m;
}

static inline Billing__V1__RevokeKey *revoke_key_input(const char *key_id)
{
    Billing__V1__RevokeKey *m = testkit_alloc(sizeof *m);
    billing__v1__revoke_key__init(m);
    DESK_SET(m, key_id, key_id);
    return m;
}

/* Make a key as the desk's own identity, which must be an administrator.  Returns its token. */
static inline const char *add_key(struct desk *desk, const char *name, Billing__V1__Role role,
                                  const char *service)
{
    Billing__V1__Response *response =
        call(desk, CALL(CREATE_KEY), create_key_input(name, role, &service, service != NULL));
    assert_int_equal(response->result_case, CALL(CREATE_KEY));
    return desk_text(response->create_key->key);
}

/* As call(), with TOKEN, unless that is NULL. */
static inline Billing__V1__Response *call_as(struct desk *desk, const char *token,
                                             Billing__V1__Request__CallCase which, void *message)
{
    Billing__V1__Request *request = desk_request(which, message);
    DESK_SET(request, token, token);
    return desk_call(desk, request);
}
