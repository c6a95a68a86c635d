/* Pages of lists: together they are the whole, and a cursor is good for the list that gave it. */
#include "billingd/rpc/cursor.h"
#include "tests/lib/desk.h"
#include "tests/lib/testkit.h"

#define CALL(name) BILLING__V1__REQUEST__CALL_##name

static Billing__V1__Response *call(struct desk *desk, Billing__V1__Request__CallCase which,
                                   void *message)
{
    return desk_call(desk, desk_request(which, message));
}

/* --- the lists -------------------------------------------------------------------------------- */

/* Where a test is in a list. */
struct place {
    const char *customer;
    uint32_t limit;
    const char *cursor; /* of the next page; NULL: of the first, or there is no more */
    const char *keys[200];
    size_t n; /* rows so far, each with its key */
};

/* Fetch the page at PLACE of one of the lists, and move on. */
typedef void page_fn(struct desk *desk, struct place *place);

static void move_on(struct place *place, protobuf_c_boolean has, ProtobufCBinaryData cursor)
{
    place->cursor = has ? desk_text(cursor) : NULL;
    for (const char *at = place->cursor; at != NULL && *at != '\0'; at++) {
        assert_non_null(strchr("0123456789abcdef", *at)); /* safe wherever it is put */
    }
}

static void page_of_customers(struct desk *desk, struct place *place)
{
    Billing__V1__ListCustomers m = BILLING__V1__LIST_CUSTOMERS__INIT;
    m.has_limit = true;
    m.limit = place->limit;
    DESK_SET(&m, cursor, place->cursor);
    Billing__V1__Response *response = call(desk, CALL(LIST_CUSTOMERS), &m);
    assert_int_equal(response->result_case, CALL(LIST_CUSTOMERS));
    for (size_t i = 0; i < response->list_customers->n_customers; i++) {
        place->keys[place->n++] = desk_text(response->list_customers->customers[i]->id);
    }
    move_on(place, response->list_customers->has_next_cursor,
            response->list_customers->next_cursor);
}

static void page_of_usage(struct desk *desk, struct place *place, Billing__V1__Clock by)
{
    Billing__V1__ListUsage m = BILLING__V1__LIST_USAGE__INIT;
    DESK_SET(&m, customer_id, place->customer);
    m.has_limit = m.has_by = true;
    m.limit = place->limit;
    m.by = by;
    DESK_SET(&m, cursor, place->cursor);
    Billing__V1__Response *response = call(desk, CALL(LIST_USAGE), &m);
    assert_int_equal(response->result_case, CALL(LIST_USAGE));
    for (size_t i = 0; i < response->list_usage->n_usage; i++) {
        place->keys[place->n++] = desk_text(response->list_usage->usage[i]->id);
    }
    move_on(place, response->list_usage->has_next_cursor, response->list_usage->next_cursor);
}

static void page_by_occurred(struct desk *desk, struct place *place)
{
    page_of_usage(desk, place, BILLING__V1__CLOCK__OCCURRED);
}

static void page_by_billed(struct desk *desk, struct place *place)
{
    page_of_usage(desk, place, BILLING__V1__CLOCK__BILLED);
}

static void page_of_lines(struct desk *desk, struct place *place)
{
    Billing__V1__GetBill m = BILLING__V1__GET_BILL__INIT;
    DESK_SET(&m, customer_id, place->customer);
    m.has_start = m.has_end = m.has_limit = true;
    m.start = 0;
    m.end = 1000000;
    m.limit = place->limit;
    DESK_SET(&m, cursor, place->cursor);
    Billing__V1__Response *response = call(desk, CALL(GET_BILL), &m);
    assert_int_equal(response->result_case, CALL(GET_BILL));
    const Billing__V1__Bill *bill = response->get_bill->bill;
    for (size_t i = 0; i < bill->n_lines; i++) {
        place->keys[place->n++] = testkit_format("%s at %s", desk_text(bill->lines[i]->service),
                                                 desk_text(bill->lines[i]->price_per_unit));
    }
    move_on(place, response->get_bill->has_next_cursor, response->get_bill->next_cursor);
}

static void page_of_adjustments(struct desk *desk, struct place *place, Billing__V1__Clock by)
{
    Billing__V1__ListAdjustments m = BILLING__V1__LIST_ADJUSTMENTS__INIT;
    DESK_SET(&m, customer_id, place->customer);
    m.has_limit = m.has_by = true;
    m.limit = place->limit;
    m.by = by;
    DESK_SET(&m, cursor, place->cursor);
    Billing__V1__Response *response = call(desk, CALL(LIST_ADJUSTMENTS), &m);
    assert_int_equal(response->result_case, CALL(LIST_ADJUSTMENTS));
    const Billing__V1__AdjustmentsReply *reply = response->list_adjustments;
    for (size_t i = 0; i < reply->n_adjustments; i++) {
        place->keys[place->n++] = desk_text(reply->adjustments[i]->id);
    }
    move_on(place, reply->has_next_cursor, reply->next_cursor);
}

static void page_of_adjustments_by_occurred(struct desk *desk, struct place *place)
{
    page_of_adjustments(desk, place, BILLING__V1__CLOCK__OCCURRED);
}

static void page_of_adjustments_by_billed(struct desk *desk, struct place *place)
{
    page_of_adjustments(desk, place, BILLING__V1__CLOCK__BILLED);
}

static void page_of_services(struct desk *desk, struct place *place)
{
    Billing__V1__ListServices m = BILLING__V1__LIST_SERVICES__INIT;
    m.has_limit = true;
    m.limit = place->limit;
    DESK_SET(&m, cursor, place->cursor);
    Billing__V1__Response *response = call(desk, CALL(LIST_SERVICES), &m);
    assert_int_equal(response->result_case, CALL(LIST_SERVICES));
    const Billing__V1__ServicesReply *reply = response->list_services;
    for (size_t i = 0; i < reply->n_services; i++) {
        place->keys[place->n++] = desk_text(reply->services[i]->name);
    }
    move_on(place, reply->has_next_cursor, reply->next_cursor);
}

enum {
    L_CUSTOMERS,
    L_USAGE_BY_OCCURRED,
    L_USAGE_BY_BILLED,
    L_BILL_LINES,
    L_ADJUSTMENTS_BY_OCCURRED,
    L_ADJUSTMENTS_BY_BILLED,
    L_SERVICES,
    LISTS,
    ROWS = 40,
};

static page_fn *const lists[LISTS] = {
    [L_CUSTOMERS] = page_of_customers,
    [L_USAGE_BY_OCCURRED] = page_by_occurred,
    [L_USAGE_BY_BILLED] = page_by_billed,
    [L_BILL_LINES] = page_of_lines,
    [L_ADJUSTMENTS_BY_OCCURRED] = page_of_adjustments_by_occurred,
    [L_ADJUSTMENTS_BY_BILLED] = page_of_adjustments_by_billed,
    [L_SERVICES] = page_of_services,
};

/* The row I of the lists of adjustments, which are on no bill here, and of services. */
static void fill_row(struct desk *desk, const char *customer, int i)
{
    Billing__V1__CreateAdjustment adjustment = BILLING__V1__CREATE_ADJUSTMENT__INIT;
    DESK_SET(&adjustment, customer_id, customer);
    DESK_SET(&adjustment, amount, "1");
    DESK_SET(&adjustment, reason, "x");
    adjustment.has_occurred_at = true;
    adjustment.occurred_at = 2000000 + i / 4;
    Billing__V1__Response *response = call(desk, CALL(CREATE_ADJUSTMENT), &adjustment);
    assert_int_equal(response->result_case, CALL(CREATE_ADJUSTMENT));
    Billing__V1__PutService service = BILLING__V1__PUT_SERVICE__INIT;
    DESK_SET(&service, name, testkit_format(i % 2 == 0 ? "s%d" : "%0256d", i));
    response = call(desk, CALL(PUT_SERVICE), &service);
    assert_int_equal(response->result_case, CALL(PUT_SERVICE));
}

/* A store with lists of ROWS rows; returns the customer that has them. */
static const char *fill(struct desk *desk)
{
    static const char *const prices[] = {"0.05", "1", "3", "0.000000000000000001", "1e15"};
    const char *customer = desk_add_customer(desk, NULL);
    for (int i = 1; i < ROWS; i++) {
        desk_add_customer(desk, NULL);
    }
    for (int i = 0; i < ROWS; i++) {
        const char *service = i == 0 ? testkit_format("%0256d", 7) : testkit_format("s%d", i % 9);
        Billing__V1__UsageInput *input =
            desk_usage_input(customer, service, "0.01", prices[i % 5], testkit_format("r%d", i));
        input->has_occurred_at = true;
        input->occurred_at = 1000 + i / 4; /* four at a time */
        Billing__V1__Response *response = call(desk, CALL(CREATE_USAGE), input);
        assert_int_equal(response->result_case, CALL(CREATE_USAGE));
        fill_row(desk, customer, i);
    }
    return customer;
}

/* --- tests ------------------------------------------------------------------------------------ */

static void lists__pages_of_any_size__are_together_the_whole(void **state)
{
    struct desk *desk = desk_open(NULL);
    const char *customer = fill(desk);
    (void)state;
    for (int l = 0; l < LISTS; l++) {
        struct place whole = {.customer = customer, .limit = 1000};
        lists[l](desk, &whole);
        assert_null(whole.cursor);
        assert_true(whole.n >= ROWS); /* services and prices make as many lines as records */
        for (uint32_t limit = 1; limit <= ROWS + 1; limit += limit < 5 ? 1 : 9) {
            struct place paged = {.customer = customer, .limit = limit};
            do {
                size_t before = paged.n;
                lists[l](desk, &paged);
                assert_true(paged.n - before <= limit && paged.n > before);
            } while (paged.cursor != NULL);
            assert_u64(paged.n, whole.n);
            for (size_t i = 0; i < whole.n; i++) {
                assert_string_equal(paged.keys[i], whole.keys[i]);
            }
        }
    }
    desk_close(desk);
}

/* The cursor behind the first N rows of list L. */
static const char *cursor_of(struct desk *desk, const char *customer, int l, uint32_t n)
{
    struct place place = {.customer = customer, .limit = n};
    lists[l](desk, &place);
    assert_non_null(place.cursor);
    return place.cursor;
}

/* What list L answers to CURSOR. */
static Billing__V1__Response *present(struct desk *desk, const char *customer, int l,
                                      const char *cursor)
{
    Billing__V1__ListCustomers customers = BILLING__V1__LIST_CUSTOMERS__INIT;
    Billing__V1__ListUsage usage = BILLING__V1__LIST_USAGE__INIT;
    Billing__V1__GetBill bill = BILLING__V1__GET_BILL__INIT;
    Billing__V1__ListAdjustments adjustments = BILLING__V1__LIST_ADJUSTMENTS__INIT;
    Billing__V1__ListServices services = BILLING__V1__LIST_SERVICES__INIT;
    DESK_SET(&customers, cursor, cursor);
    DESK_SET(&usage, cursor, cursor);
    DESK_SET(&usage, customer_id, customer);
    DESK_SET(&bill, cursor, cursor);
    DESK_SET(&bill, customer_id, customer);
    DESK_SET(&adjustments, cursor, cursor);
    DESK_SET(&adjustments, customer_id, customer);
    DESK_SET(&services, cursor, cursor);
    bill.has_start = bill.has_end = true;
    bill.end = 1000000;
    bool billed = l == L_USAGE_BY_BILLED || l == L_ADJUSTMENTS_BY_BILLED;
    usage.has_by = adjustments.has_by = true;
    usage.by = adjustments.by = billed ? BILLING__V1__CLOCK__BILLED : BILLING__V1__CLOCK__OCCURRED;
    switch (l) {
    case L_CUSTOMERS:
        return call(desk, CALL(LIST_CUSTOMERS), &customers);
    case L_BILL_LINES:
        return call(desk, CALL(GET_BILL), &bill);
    case L_SERVICES:
        return call(desk, CALL(LIST_SERVICES), &services);
    case L_USAGE_BY_OCCURRED:
    case L_USAGE_BY_BILLED:
        return call(desk, CALL(LIST_USAGE), &usage);
    default:
        return call(desk, CALL(LIST_ADJUSTMENTS), &adjustments);
    }
}

/* Present CURSOR to list L: whether it is refused, as it should be. */
static bool is_refused(struct desk *desk, const char *customer, int l, const char *cursor)
{
    Billing__V1__Response *response = present(desk, customer, l, cursor);
    if (response->result_case != BILLING__V1__RESPONSE__RESULT_PROBLEM) {
        return false;
    }
    desk_field(desk_problem(response, STATUS_INVALID_QUERY), "cursor", STATUS_OUT_OF_BOUNDS);
    return true;
}

static void cursor_parse__of_another_list__is_refused(void **state)
{
    struct desk *desk = desk_open(NULL);
    const char *customer = fill(desk);
    (void)state;
    for (int given = 0; given < LISTS; given++) {
        const char *cursor = cursor_of(desk, customer, given, 3);
        for (int used = 0; used < LISTS; used++) {
            assert_int_equal(is_refused(desk, customer, used, cursor), used != given);
        }
    }
    desk_close(desk);
}

static void cursor_parse__of_another_store__is_refused(void **state)
{
    struct desk *ours = desk_open(&(struct desk_options){.id_key = 1});
    struct desk *theirs = desk_open(&(struct desk_options){.id_key = 2});
    const char *our_customer = fill(ours);
    const char *their_customer = fill(theirs);
    (void)state;
    for (int l = 0; l < LISTS; l++) {
        const char *cursor = cursor_of(theirs, their_customer, l, 3);
        assert_false(is_refused(theirs, their_customer, l, cursor));
        assert_true(is_refused(ours, our_customer, l, cursor));
    }
    desk_close(ours);
    desk_close(theirs);
}

static void cursor_parse__tampered_with__is_refused(void **state)
{
    struct desk *desk = desk_open(NULL);
    const char *customer = fill(desk);
    (void)state;
    for (int l = 0; l < LISTS; l++) {
        const char *cursor = cursor_of(desk, customer, l, 1);
        size_t length = strlen(cursor);
        char *wrong = testkit_alloc(length + 3);
        for (size_t at = 0; at < length; at++) {
            memcpy(wrong, cursor, length + 1);
            wrong[at] = wrong[at] == '0' ? '1' : '0';
            assert_true(is_refused(desk, customer, l, wrong));
        }
        for (size_t shorter = 0; shorter < length; shorter++) {
            memcpy(wrong, cursor, length + 1);
            wrong[shorter] = '\0';
            assert_true(is_refused(desk, customer, l, wrong));
        }
        assert_true(is_refused(desk, customer, l, testkit_format("%s00", cursor)));
        assert_true(is_refused(desk, customer, l, testkit_format("00%s", cursor)));
        assert_false(is_refused(desk, customer, l, cursor));
    }
    desk_close(desk);
}

static void cursor_parse__what_never_was_one__is_refused(void **state)
{
    static const char *const table[] = {"x",        "0",    "zz",  "0101", "ABCDEF", "010100000000",
                                        "\xFF\xFE", "01 1", "null"};
    struct desk *desk = desk_open(NULL);
    const char *customer = desk_add_customer(desk, NULL);
    char *huge = testkit_alloc(100001);
    (void)state;
    memset(huge, '0', 100000);
    for (int l = 0; l < LISTS; l++) {
        for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
            assert_true(is_refused(desk, customer, l, table[i]));
        }
        assert_true(is_refused(desk, customer, l, huge));
    }
    desk_close(desk);
}

/* --- another question ------------------------------------------------------------------------- */

static const ProtobufCFieldDescriptor *field_of(const ProtobufCMessage *message, const char *name)
{
    return protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);
}

/* The value of MESSAGE's FIELD, and whether it is set. */
#define MEMBER(message, field) ((void *)((char *)(message) + (field)->offset))
#define IS_SET(message, field)                                                                     \
    (*(protobuf_c_boolean *)((char *)(message) + (field)->quantifier_offset))

static void set_text(ProtobufCMessage *message, const char *name, const char *value)
{
    const ProtobufCFieldDescriptor *field = field_of(message, name);
    *(ProtobufCBinaryData *)MEMBER(message, field) = raw_bytes(value);
    IS_SET(message, field) = true;
}

static void set_limit(ProtobufCMessage *message, uint32_t limit)
{
    const ProtobufCFieldDescriptor *field = field_of(message, "limit");
    *(uint32_t *)MEMBER(message, field) = limit;
    IS_SET(message, field) = true;
}

/* The next_cursor of the answer to QUESTION. */
static const char *ask(struct desk *desk, Billing__V1__Request__CallCase which,
                       ProtobufCMessage *question)
{
    Billing__V1__Response *response = call(desk, which, question);
    assert_int_equal(response->result_case, which);
    ProtobufCMessage *reply = &response->list_usage->base; /* whichever it is */
    const ProtobufCFieldDescriptor *field = field_of(reply, "next_cursor");
    assert_true(IS_SET(reply, field));
    return desk_text(*(ProtobufCBinaryData *)MEMBER(reply, field));
}

/* Set FIELD to something else that it may be; OTHER is another customer. */
static void change(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                   const char *other)
{
    bool set = IS_SET(message, field);
    switch (field->type) {
    case PROTOBUF_C_TYPE_BYTES:
        set_text(message, field->name,
                 strcmp(field->name, "customer_id") == 0 ? other
                 : strcmp(field->name, "service") == 0   ? "s2"
                                                         : "1");
        break;
    case PROTOBUF_C_TYPE_SFIXED64:
        *(int64_t *)MEMBER(message, field) += 1;
        break;
    case PROTOBUF_C_TYPE_UINT64:
        *(uint64_t *)MEMBER(message, field) += 1;
        break;
    case PROTOBUF_C_TYPE_ENUM:
        *(int *)MEMBER(message, field) = set ? 3 - *(int *)MEMBER(message, field) : 1;
        break;
    default:
        assert_int_equal(field->type, PROTOBUF_C_TYPE_BOOL);
        *(protobuf_c_boolean *)MEMBER(message, field) = !set;
    }
    IS_SET(message, field) = true;
}

static void is_refused_as_another(struct desk *desk, Billing__V1__Request__CallCase which,
                                  ProtobufCMessage *question)
{
    const Billing__V1__Problem *problem =
        desk_problem(call(desk, which, question), STATUS_INVALID_QUERY);
    assert_string_equal(desk_field(problem, "cursor", STATUS_OUT_OF_BOUNDS),
                        "is not a next_cursor of this list with these parameters");
}

/* A cursor of QUESTION is good for no other, whichever field it differs in but the limit. */
static void check_question(struct desk *desk, Billing__V1__Request__CallCase which,
                           ProtobufCMessage *question, const char *other)
{
    set_limit(question, 1);
    set_text(question, "cursor", ask(desk, which, question));
    set_limit(question, 2);
    assert_int_equal(call(desk, which, question)->result_case, which);
    IS_SET(question, field_of(question, "limit")) = false;
    assert_int_equal(call(desk, which, question)->result_case, which);
    for (unsigned i = 0; i < question->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &question->descriptor->fields[i];
        if (strcmp(field->name, "cursor") == 0 || strcmp(field->name, "limit") == 0) {
            continue;
        }
        void *copy = testkit_alloc(question->descriptor->sizeof_message);
        memcpy(copy, question, question->descriptor->sizeof_message);
        change(copy, field, other);
        is_refused_as_another(desk, which, copy);
        if (IS_SET(question, field)) {
            IS_SET(copy, field) = false;
            is_refused_as_another(desk, which, copy);
        }
    }
}

static void finalize_until(struct desk *desk, const char *customer, int64_t end)
{
    Billing__V1__FinalizeInvoice m = BILLING__V1__FINALIZE_INVOICE__INIT;
    DESK_SET(&m, customer_id, customer);
    m.has_end = true;
    m.end = end;
    assert_int_equal(call(desk, CALL(FINALIZE_INVOICE), &m)->result_case, CALL(FINALIZE_INVOICE));
}

/* The questions of entries of one CUSTOMER. */
static void check_questions_of_entries(struct desk *desk, const char *customer, const char *other)
{
    Billing__V1__ListUsage usage = BILLING__V1__LIST_USAGE__INIT;
    Billing__V1__ListAdjustments adjustments = BILLING__V1__LIST_ADJUSTMENTS__INIT;
    Billing__V1__SummarizeUsage summary = BILLING__V1__SUMMARIZE_USAGE__INIT;
    Billing__V1__ListBillRecords records = BILLING__V1__LIST_BILL_RECORDS__INIT;
    DESK_SET(&usage, customer_id, customer);
    DESK_SET(&adjustments, customer_id, customer);
    DESK_SET(&summary, customer_id, customer);
    DESK_SET(&records, customer_id, customer);
    DESK_SET(&records, service, "s1");
    usage.has_start = usage.has_end = usage.has_by = true;
    summary.has_start = summary.has_end = summary.has_by = summary.has_group_by = true;
    records.has_start = records.has_end = true;
    usage.by = summary.by = BILLING__V1__CLOCK__BILLED;
    summary.group_by = BILLING__V1__SUMMARIZE_USAGE__GROUP__SERVICE;
    usage.end = summary.end = records.end = 1000000;
    check_question(desk, CALL(LIST_USAGE), &usage.base, other);
    check_question(desk, CALL(LIST_ADJUSTMENTS), &adjustments.base, other);
    check_question(desk, CALL(SUMMARIZE_USAGE), &summary.base, other);
    check_question(desk, CALL(LIST_BILL_RECORDS), &records.base, other);
}

static void cursor_parse__of_another_question__is_refused(void **state)
{
    struct desk *desk = desk_open(NULL);
    const char *customer = fill(desk);
    const char *other = desk_add_customer(desk, NULL);
    Billing__V1__ListCustomers customers = BILLING__V1__LIST_CUSTOMERS__INIT;
    Billing__V1__GetBill bill = BILLING__V1__GET_BILL__INIT;
    Billing__V1__ListBills bills = BILLING__V1__LIST_BILLS__INIT;
    Billing__V1__GetInvoice invoice = BILLING__V1__GET_INVOICE__INIT;
    Billing__V1__ListInvoices invoices = BILLING__V1__LIST_INVOICES__INIT;
    Billing__V1__ListInvoices of_one = BILLING__V1__LIST_INVOICES__INIT;
    (void)state;
    finalize_until(desk, customer, 1003);
    finalize_until(desk, customer, 1000000);
    DESK_SET(&bill, customer_id, customer);
    DESK_SET(&of_one, customer_id, customer);
    bill.has_start = bill.has_end = bills.has_start = bills.has_end = invoice.has_number = true;
    bill.end = bills.end = 1000000;
    invoice.number = 1;
    check_question(desk, CALL(LIST_CUSTOMERS), &customers.base, other);
    check_questions_of_entries(desk, customer, other);
    check_question(desk, CALL(GET_BILL), &bill.base, other);
    check_question(desk, CALL(LIST_BILLS), &bills.base, other);
    check_question(desk, CALL(GET_INVOICE), &invoice.base, other);
    check_question(desk, CALL(LIST_INVOICES), &invoices.base, other);
    check_question(desk, CALL(LIST_INVOICES), &of_one.base, other);
    desk_close(desk);
}

/* What finalizes an invoice answers with its first page; the rest is asked for by its number. */
static void cursor_parse__of_a_new_invoice__is_good_for_that_invoice(void **state)
{
    struct desk *desk = desk_open(NULL);
    const char *customer = desk_add_customer(desk, NULL);
    Billing__V1__FinalizeInvoice finalize = BILLING__V1__FINALIZE_INVOICE__INIT;
    Billing__V1__GetInvoice get = BILLING__V1__GET_INVOICE__INIT;
    (void)state;
    for (int i = 0; i < 1001; i++) { /* more than a page */
        Billing__V1__UsageInput *input =
            desk_usage_input(customer, testkit_format("s%d", i), "1", "1", NULL);
        input->has_occurred_at = true;
        input->occurred_at = 1000;
        assert_int_equal(call(desk, CALL(CREATE_USAGE), input)->result_case, CALL(CREATE_USAGE));
    }
    DESK_SET(&finalize, customer_id, customer);
    finalize.has_end = get.has_number = true;
    finalize.end = 1000000;
    DESK_SET(&get, cursor, ask(desk, CALL(FINALIZE_INVOICE), &finalize.base));
    get.number = 1;
    Billing__V1__Response *response = call(desk, CALL(GET_INVOICE), &get);
    assert_int_equal(response->result_case, CALL(GET_INVOICE));
    assert_u64(response->get_invoice->invoice->n_lines, 1);
    get.number = 2;
    is_refused_as_another(desk, CALL(GET_INVOICE), &get.base);
    desk_close(desk);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(lists__pages_of_any_size__are_together_the_whole),
    cmocka_unit_test(cursor_parse__of_another_list__is_refused),
    cmocka_unit_test(cursor_parse__of_another_question__is_refused),
    cmocka_unit_test(cursor_parse__of_a_new_invoice__is_good_for_that_invoice),
    cmocka_unit_test(cursor_parse__of_another_store__is_refused),
    cmocka_unit_test(cursor_parse__tampered_with__is_refused),
    cmocka_unit_test(cursor_parse__what_never_was_one__is_refused),
};

TESTKIT_MAIN(tests)
