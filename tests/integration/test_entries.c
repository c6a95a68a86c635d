/* Voids, adjustments and the catalogue in a real daemon: what was answered is there after it was
 * killed. */
#include "tests/lib/calls.h"
#include "tests/lib/daemon.h"
#include "tests/lib/desk.h"
#include "tests/lib/raw_client.h"
#include "tests/lib/testkit.h"

struct setup {
    struct daemon_process *daemon;
    struct raw_client client;
};

static void connect_to(struct setup *setup)
{
    assert_true(raw_client_open(&setup->client, daemon_process_unix(setup->daemon)));
}

static void start(struct setup *setup, const char *const *args)
{
    struct daemon_options options = {.args = args};
    setup->daemon = daemon_process_start(&options);
    connect_to(setup);
}

static void kill_and_restart(struct setup *setup)
{
    raw_client_close(&setup->client);
    daemon_process_kill(setup->daemon);
    daemon_process_restart(setup->daemon);
    connect_to(setup);
}

static void stop(struct setup *setup)
{
    raw_client_close(&setup->client);
    daemon_process_stop(setup->daemon);
    daemon_process_destroy(setup->daemon);
}

static Billing__V1__Response *ask(struct setup *setup, Billing__V1__Request__CallCase which,
                                  void *message)
{
    return raw_client_call(&setup->client, desk_request(which, message));
}

static void done(Billing__V1__Response *response)
{
    billing__v1__response__free_unpacked(response, NULL);
}

static void assert_refused(Billing__V1__Response *response, int status)
{
    desk_problem(response, status);
    done(response);
}

static const char *add_customer(struct setup *setup)
{
    Billing__V1__Response *response =
        ask(setup, CALL(CREATE_CUSTOMER), desk_customer_input("Acme", NULL, "customer"));
    const char *id = desk_text(response->create_customer->customer->id);
    done(response);
    return id;
}

static const char *add_usage(struct setup *setup, const char *customer, const char *request_id)
{
    Billing__V1__Response *response =
        ask(setup, CALL(CREATE_USAGE), usage_input(customer, request_id));
    assert_int_equal(response->result_case, CALL(CREATE_USAGE));
    const char *id = desk_text(response->create_usage->usage->id);
    done(response);
    return id;
}

static void put_service(struct setup *setup, const char *name)
{
    Billing__V1__Response *response =
        ask(setup, CALL(PUT_SERVICE), put_service_input(name, "instance-hour"));
    assert_int_equal(response->result_case, CALL(PUT_SERVICE));
    done(response);
}

static void assert_voided(struct setup *setup, const char *customer, const char *usage,
                          const char *amount)
{
    Billing__V1__Response *found = ask(setup, CALL(GET_VOID), get_void_input(customer, usage));
    assert_int_equal(found->result_case, CALL(GET_VOID));
    assert_field(found->get_void->void_->amount, amount);
    Billing__V1__Response *read = ask(setup, CALL(GET_USAGE), get_usage_input(customer, usage));
    assert_true(read->get_usage->usage->has_voided_at);
    assert_i64(read->get_usage->usage->voided_at, found->get_void->void_->created_at);
    done(found);
    done(read);
}

static void killed__voids_and_adjustments__are_there_and_retries_replayed(void **state)
{
    struct setup setup;
    (void)state;
    start(&setup, NULL);
    const char *customer = add_customer(&setup);
    const char *usage = add_usage(&setup, customer, "usage");
    done(ask(&setup, CALL(VOID_USAGE), void_input(customer, usage, "an error", "void")));
    done(ask(&setup, CALL(CREATE_ADJUSTMENT),
             adjustment_input(customer, "-0.000000000000000001", "x", "adjustment")));
    assert_voided(&setup, customer, usage, "-2.9");
    kill_and_restart(&setup);
    assert_voided(&setup, customer, usage, "-2.9");
    Billing__V1__Response *again =
        ask(&setup, CALL(VOID_USAGE), void_input(customer, usage, "an error", "void"));
    assert_true(again->replayed);
    assert_field(again->void_usage->void_->amount, "-2.9");
    done(again);
    again = ask(&setup, CALL(CREATE_ADJUSTMENT),
                adjustment_input(customer, "-0.000000000000000001", "x", "adjustment"));
    assert_true(again->replayed);
    done(again);
    assert_refused(ask(&setup, CALL(VOID_USAGE), void_input(customer, usage, "an error", "other")),
                   STATUS_ALREADY_VOIDED);
    Billing__V1__Response *list =
        ask(&setup, CALL(LIST_ADJUSTMENTS), list_adjustments_input(customer));
    assert_u64(list->list_adjustments->n_adjustments, 1);
    assert_field(list->list_adjustments->adjustments[0]->amount, "-0.000000000000000001");
    done(list);
    stop(&setup);
}

static void killed__the_catalogue__is_as_it_was_put(void **state)
{
    const char *const listed[] = {"--catalogue", "listed", NULL};
    struct setup setup;
    (void)state;
    start(&setup, listed);
    const char *customer = add_customer(&setup);
    assert_refused(ask(&setup, CALL(CREATE_USAGE), usage_input(customer, "usage")),
                   STATUS_SERVICE_NOT_ALLOWED);
    put_service(&setup, "Database Hosting");
    put_service(&setup, "another");
    const char *usage = add_usage(&setup, customer, "usage");
    done(ask(&setup, CALL(DELETE_SERVICE), delete_service_input("another")));
    kill_and_restart(&setup);
    Billing__V1__Response *list = ask(&setup, CALL(LIST_SERVICES), list_services_input());
    assert_u64(list->list_services->n_services, 1);
    assert_field(list->list_services->services[0]->name, "Database Hosting");
    assert_field(list->list_services->services[0]->unit, "instance-hour");
    done(list);
    done(ask(&setup, CALL(DELETE_SERVICE), delete_service_input("Database Hosting")));
    assert_string_equal(add_usage(&setup, customer, "usage"), usage);
    assert_refused(ask(&setup, CALL(CREATE_USAGE), usage_input(customer, "new")),
                   STATUS_SERVICE_NOT_ALLOWED);
    stop(&setup);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(killed__voids_and_adjustments__are_there_and_retries_replayed),
    cmocka_unit_test(killed__the_catalogue__is_as_it_was_put),
};

TESTKIT_MAIN(tests)
