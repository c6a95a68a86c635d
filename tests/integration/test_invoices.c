/* Invoices in a real daemon: they stay as they are, whatever comes afterwards, and tell when
 * somebody has been at the records behind them. */
#include "tests/lib/calls.h"
#include "tests/lib/daemon.h"
#include "tests/lib/tamper.h"

enum {
    END_US = 2000000,
};

struct setup {
    struct daemon_process *daemon;
    struct raw_client client;
    const char *customer;
};

static void connect_to(struct setup *setup)
{
    assert_true(raw_client_open(&setup->client, daemon_process_unix(setup->daemon)));
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

static const char *add_customer(struct setup *setup, const char *request_id)
{
    Billing__V1__Response *response =
        ask(setup, CALL(CREATE_CUSTOMER), desk_customer_input("Acme", NULL, request_id));
    assert_int_equal(response->result_case, CALL(CREATE_CUSTOMER));
    const char *id = desk_text(response->create_customer->customer->id);
    done(response);
    return id;
}

static void start(struct setup *setup)
{
    setup->daemon = daemon_process_start(NULL);
    connect_to(setup);
    setup->customer = add_customer(setup, "customer");
}

static void restart(struct setup *setup)
{
    daemon_process_restart(setup->daemon);
    connect_to(setup);
}

static void stop(struct setup *setup)
{
    raw_client_close(&setup->client);
    daemon_process_stop(setup->daemon);
}

static Billing__V1__UsageInput *usage_at(const char *customer, int64_t time_us,
                                         const char *request_id)
{
    Billing__V1__UsageInput *m = usage_input(customer, request_id);
    m->has_occurred_at = true;
    m->occurred_at = time_us;
    return m;
}

/* 58 x 0.05 of Database Hosting.  Returns its id. */
static const char *use(struct setup *setup, const char *customer, int64_t time_us,
                       const char *request_id)
{
    Billing__V1__Response *response =
        ask(setup, CALL(CREATE_USAGE), usage_at(customer, time_us, request_id));
    assert_int_equal(response->result_case, CALL(CREATE_USAGE));
    const char *id = desk_text(response->create_usage->usage->id);
    done(response);
    return id;
}

static void adjust(struct setup *setup, const char *amount, int64_t time_us)
{
    Billing__V1__CreateAdjustment *m = adjustment_input(setup->customer, amount, "goodwill", NULL);
    m->has_occurred_at = true;
    m->occurred_at = time_us;
    Billing__V1__Response *response = ask(setup, CALL(CREATE_ADJUSTMENT), m);
    assert_int_equal(response->result_case, CALL(CREATE_ADJUSTMENT));
    done(response);
}

static void void_usage(struct setup *setup, const char *usage)
{
    Billing__V1__Response *response =
        ask(setup, CALL(VOID_USAGE), void_input(setup->customer, usage, "wrong", NULL));
    assert_int_equal(response->result_case, CALL(VOID_USAGE));
    done(response);
}

/* The invoice in MESSAGE as text of the kit. */
static const char *text_of(const Billing__V1__Invoice *invoice)
{
    size_t bytes = billing__v1__invoice__get_packed_size(invoice);
    uint8_t *packed = testkit_alloc(bytes + 1);
    const char *text = testkit_format("%zu:", bytes);
    billing__v1__invoice__pack(invoice, packed);
    for (size_t i = 0; i < bytes; i++) {
        text =
            testkit_format("%s%02x", i % 64 == 0 ? testkit_format("%s\n", text) : text, packed[i]);
    }
    return text;
}

static const char *finalize(struct setup *setup, const char *customer, int64_t end_us,
                            const char *request_id)
{
    Billing__V1__Response *response =
        ask(setup, CALL(FINALIZE_INVOICE), finalize_input(customer, end_us, request_id));
    assert_int_equal(response->result_case, CALL(FINALIZE_INVOICE));
    const char *text = text_of(response->finalize_invoice->invoice);
    done(response);
    return text;
}

static const char *invoice(struct setup *setup, uint64_t number)
{
    Billing__V1__Response *response = ask(setup, CALL(GET_INVOICE), get_invoice_input(number));
    assert_int_equal(response->result_case, CALL(GET_INVOICE));
    const char *text = text_of(response->get_invoice->invoice);
    done(response);
    return text;
}

/* What verifying NUMBER finds: "what: invoice | computed" a line, of digests only that they
 * differ. */
static const char *verify(struct setup *setup, uint64_t number)
{
    Billing__V1__Response *response = ask(setup, CALL(VERIFY_INVOICE), verify_input(number));
    const char *text = "";
    assert_int_equal(response->result_case, CALL(VERIFY_INVOICE));
    const Billing__V1__Verification *m = response->verify_invoice->verification;
    assert_int_equal(m->verified, m->n_differences == 0);
    for (size_t i = 0; i < m->n_differences; i++) {
        const Billing__V1__Difference *difference = m->differences[i];
        const char *what = desk_text(difference->what);
        text = strcmp(what, "digest") == 0
                   ? testkit_format("%sdigest\n", text)
                   : testkit_format("%s%s: %s | %s\n", text, what, desk_text(difference->invoice),
                                    desk_text(difference->computed));
    }
    done(response);
    return text;
}

static void assert_total(struct setup *setup, int64_t start_us, int64_t end_us,
                         const char *expected)
{
    Billing__V1__GetBill *m = bill_input(setup->customer);
    m->has_start = m->has_end = true;
    m->start = start_us;
    m->end = end_us;
    Billing__V1__Response *response = ask(setup, CALL(GET_BILL), m);
    assert_int_equal(response->result_case, CALL(GET_BILL));
    assert_field(response->get_bill->bill->total, expected);
    done(response);
}

/* --- what comes afterwards -------------------------------------------------------------------- */

static void finalized__late_usage_and_a_late_void__change_the_next_bill_only(void **state)
{
    struct setup setup;
    (void)state;
    start(&setup);
    const char *usage = use(&setup, setup.customer, 1000, "u1");
    use(&setup, setup.customer, 1999999, "u2");
    use(&setup, setup.customer, 1, "u3");
    adjust(&setup, "-0.35", 5000);
    const char *made = finalize(&setup, setup.customer, END_US, "i1");
    assert_string_equal(verify(&setup, 1), "");
    assert_total(&setup, 0, END_US, "8.35");
    assert_total(&setup, END_US, 2 * END_US, "0");

    use(&setup, setup.customer, 1000, "late");
    assert_total(&setup, END_US, 2 * END_US, "2.9");
    void_usage(&setup, usage);
    assert_total(&setup, END_US, 2 * END_US, "0");
    void_usage(&setup, use(&setup, setup.customer, 1000, "late too"));
    adjust(&setup, "7", 5000);
    assert_total(&setup, END_US, 2 * END_US, "7");
    assert_total(&setup, 0, END_US, "8.35");
    assert_string_equal(invoice(&setup, 1), made);
    assert_string_equal(verify(&setup, 1), "");

    raw_client_close(&setup.client);
    daemon_process_kill(setup.daemon);
    restart(&setup);
    assert_string_equal(invoice(&setup, 1), made);
    assert_string_equal(finalize(&setup, setup.customer, END_US, "i1"), made); /* replayed */
    assert_string_equal(verify(&setup, 1), "");
    const char *next = finalize(&setup, setup.customer, 2 * END_US, "i2");
    assert_string_equal(invoice(&setup, 2), next);
    assert_string_equal(verify(&setup, 2), "");
    assert_string_equal(invoice(&setup, 1), made);
    stop(&setup);
    daemon_process_destroy(setup.daemon);
}

/* --- while records arrive --------------------------------------------------------------------- */

enum {
    ARRIVING = 2000,
};

/* Records of the last microsecond of a period that is finalised meanwhile: each is on the invoice,
 * or on the next bill, and its answer says on which. */
static void finalizing__records_of_its_last_moment_arrive__each_is_billed_once(void **state)
{
    struct setup setup;
    struct raw_client other;
    uint64_t in_time = 0;
    (void)state;
    start(&setup);
    assert_true(raw_client_open(&other, daemon_process_unix(setup.daemon)));
    Billing__V1__Request *request =
        desk_request(CALL(FINALIZE_INVOICE), finalize_input(setup.customer, END_US, "i1"));
    for (int i = 0; i < ARRIVING; i++) {
        Billing__V1__UsageInput *m = usage_at(setup.customer, END_US - 1, testkit_format("u%d", i));
        assert_int_equal(
            raw_client_send_request(&setup.client, desk_request(CALL(CREATE_USAGE), m)), SOCK_OK);
        if (i == ARRIVING / 3) {
            assert_int_equal(raw_client_send_request(&other, request), SOCK_OK);
        }
    }
    for (int i = 0; i < ARRIVING; i++) {
        Billing__V1__Response *response;
        assert_int_equal(raw_client_receive(&setup.client, SOCK_PATIENCE_MS, &response), SOCK_OK);
        assert_int_equal(response->result_case, CALL(CREATE_USAGE));
        const Billing__V1__Usage *usage = response->create_usage->usage;
        assert_true(usage->bills_at == (usage->late ? END_US : END_US - 1));
        in_time += !usage->late;
        done(response);
    }
    Billing__V1__Response *response;
    assert_int_equal(raw_client_receive(&other, SOCK_PATIENCE_MS, &response), SOCK_OK);
    assert_int_equal(response->result_case, CALL(FINALIZE_INVOICE));
    const Billing__V1__Invoice *made = response->finalize_invoice->invoice;
    assert_u64(made->n_lines == 0 ? 0 : made->lines[0]->records, in_time);
    done(response);
    assert_string_equal(verify(&setup, 1), "");
    Billing__V1__GetBill *m = bill_input(setup.customer);
    m->has_start = m->has_end = true;
    m->start = END_US;
    m->end = END_US + 1;
    response = ask(&setup, CALL(GET_BILL), m);
    const Billing__V1__Bill *next = response->get_bill->bill;
    assert_u64(next->n_lines == 0 ? 0 : next->lines[0]->late, ARRIVING - in_time);
    done(response);
    raw_client_close(&other);
    stop(&setup);
    daemon_process_destroy(setup.daemon);
}

/* --- tampering -------------------------------------------------------------------------------- */

/* The customer 1; usage 2 and 3, the adjustment 4, the invoice 5 and its entries 6; then another
 * customer with invoice 2, whose blocks are the last.  Each is a block of its own. */
static void start_with_invoices(struct setup *setup)
{
    start(setup);
    use(setup, setup->customer, 1000, "u1");
    use(setup, setup->customer, 1000, "u2");
    adjust(setup, "-0.35", 5000);
    finalize(setup, setup->customer, END_US, "i1");
    const char *other = add_customer(setup, "other");
    use(setup, other, 1000, "u1");
    finalize(setup, other, END_US, "i1");
    use(setup, other, END_US, "u2");
}

/* Do as TAMPER says to the stopped daemon's data, start it again, and say what verifying finds. */
static const char *verify_tampered(struct setup *setup, struct tamper tamper)
{
    stop(setup);
    tamper.data_dir = daemon_process_data_dir(setup->daemon);
    tamper_record(&tamper);
    restart(setup);
    assert_string_equal(verify(setup, 2), ""); /* the other's is as it was */
    return verify(setup, 1);
}

static void tampered__a_flipped_byte__is_damage_of_that_record(void **state)
{
    static const struct {
        uint64_t seq;
        const char *text;
        const char *what;
    } table[] = {
        {2, "Database Hosting", "records[sequence number 2]"},
        {3, "Database Hosting", "records[sequence number 3]"},
        {4, "goodwill", "records[sequence number 4]"},
        {6, "Database Hosting", "invoice[sequence number 5]"}, /* one block, one checksum */
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct setup setup;
        start_with_invoices(&setup);
        struct tamper tamper = {.seq = table[i].seq, .text = table[i].text, .at = -1, .mask = 1};
        assert_string_equal(
            verify_tampered(&setup, tamper),
            testkit_format("%s:  | damaged: what is stored does not match its checksum\n",
                           table[i].what));
        stop(&setup);
        daemon_process_destroy(setup.daemon);
    }
}

static void tampered__with_a_right_checksum__names_digest_and_figures(void **state)
{
    static const struct {
        struct tamper tamper;
        const char *differences;
    } table[] = {
        /* Behind the service come the scale of the units and twice their mantissa: 58 to 59. */
        {{.seq = 2, .text = "Database Hosting", .at = 1, .mask = 2, .seal = true},
         "digest\nexact_total: 5.45 | 5.5\ntotal: 5.45 | 5.5\n"
         "lines[Database Hosting 0.05].units_consumed: 116 | 117\n"
         "lines[Database Hosting 0.05].exact_amount: 5.8 | 5.85\n"},
        {{.seq = 3, .text = "Database Hosting", .at = -1, .mask = 2, .seal = true},
         "digest\nlines[Database Hostine 0.05]:  | 2.9\n"
         "lines[Database Hosting 0.05].units_consumed: 116 | 58\n"
         "lines[Database Hosting 0.05].exact_amount: 5.8 | 2.9\n"
         "lines[Database Hosting 0.05].records: 2 | 1\n"},
        {{.seq = 4, .text = "goodwill", .at = -1, .mask = 1, .seal = true}, "digest\n"},
        {{.seq = 6, .text = "5.8", .at = -1, .mask = 1, .seal = true},
         "lines[Database Hosting 0.05].exact_amount: 5.9 | 5.8\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct setup setup;
        start_with_invoices(&setup);
        assert_string_equal(verify_tampered(&setup, table[i].tamper), table[i].differences);
        stop(&setup);
        const char *log = daemon_process_stderr(setup.daemon); /* and an operator is told */
        assert_contains(log, "level=error area=rpc msg=\"invoice does not verify\" invoice=1 ");
        daemon_process_destroy(setup.daemon);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(finalized__late_usage_and_a_late_void__change_the_next_bill_only),
    cmocka_unit_test(finalizing__records_of_its_last_moment_arrive__each_is_billed_once),
    cmocka_unit_test(tampered__a_flipped_byte__is_damage_of_that_record),
    cmocka_unit_test(tampered__with_a_right_checksum__names_digest_and_figures),
};

TESTKIT_MAIN(tests)
