/* The judge, judged: of a store whose journal is as it should be it sees where the ways to what is
 * there mislead.  And of a record it sees whatever is not as it was asked for.
 *
 * The reads of the checker's are answered falsely.  Linked with -Wl,--wrap= of store_request,
 * store_customer, store_scan_positions and store_verify. */
#include "tests/fault/business.h"
#include "tests/lib/testkit.h"

/* --- false answers ---------------------------------------------------------------------------- */

enum lie {
    TRUTH,
    REQUEST_LEADS_NOWHERE,
    REQUEST_LEADS_ELSEWHERE,
    LIST_LEAVES_ONE_OUT,
    LIST_HAS_ONE_TWICE,
    CUSTOMER_IS_RENAMED,
    CUSTOMER_IS_INVOICED,
    STORE_FINDS_DAMAGE,
    STORE_VERIFIES_LESS,
};

static struct {
    enum lie lie;
    enum store_clock by; /* of the lists that are false */
    uint64_t seq;        /* of the record that its request does not lead to */
    uint64_t other;      /* the one that it leads to instead */
} told;

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker names them so */
int __real_store_request(struct store_view *view, struct store_key key, struct record *ret);
int __wrap_store_request(struct store_view *view, struct store_key key, struct record *ret);
int __real_store_customer(struct store_view *view, uint64_t seq, struct store_customer *ret);
int __wrap_store_customer(struct store_view *view, uint64_t seq, struct store_customer *ret);
int __real_store_scan_positions(struct store_view *view, const struct store_range *range,
                                store_position_fn row_cb, void *arg);
int __wrap_store_scan_positions(struct store_view *view, const struct store_range *range,
                                store_position_fn row_cb, void *arg);
int __real_store_verify(struct store_view *view, const struct store_verify *how,
                        struct store_verified *ret);
int __wrap_store_verify(struct store_view *view, const struct store_verify *how,
                        struct store_verified *ret);
/* NOLINTEND(bugprone-reserved-identifier) */

int __wrap_store_request(struct store_view *view, struct store_key key, struct record *ret)
{
    int rc = __real_store_request(view, key, ret);
    if (rc != 0 || ret->seq != told.seq) {
        return rc;
    }
    if (told.lie == REQUEST_LEADS_ELSEWHERE) {
        return store_record(view, told.other, ret);
    }
    return told.lie == REQUEST_LEADS_NOWHERE ? STATUS_NOT_FOUND : 0;
}

int __wrap_store_customer(struct store_view *view, uint64_t seq, struct store_customer *ret)
{
    int rc = __real_store_customer(view, seq, ret);
    if (rc == 0 && told.lie == CUSTOMER_IS_RENAMED) {
        ret->name = SLICE("Acme Inc.");
    } else if (rc == 0 && told.lie == CUSTOMER_IS_INVOICED) {
        ret->billed_until_us = 1;
    }
    return rc;
}

struct false_list {
    store_position_fn row_cb;
    void *arg;
    unsigned rows;
};

static int give_row(struct store_position position, void *arg)
{
    struct false_list *list = arg;
    int rc = 0;
    if (++list->rows == 1) {
        rc = told.lie == LIST_HAS_ONE_TWICE ? list->row_cb(position, list->arg) : 0;
        if (rc != 0 || told.lie == LIST_LEAVES_ONE_OUT) {
            return rc;
        }
    }
    /* it has as many as there are: one of the others is missing */
    return told.lie == LIST_HAS_ONE_TWICE && list->rows == 2 ? 0
                                                             : list->row_cb(position, list->arg);
}

int __wrap_store_scan_positions(struct store_view *view, const struct store_range *range,
                                store_position_fn row_cb, void *arg)
{
    struct false_list list = {row_cb, arg, 0};
    bool is_false = told.lie == LIST_LEAVES_ONE_OUT || told.lie == LIST_HAS_ONE_TWICE;
    return is_false && range->by == told.by
               ? __real_store_scan_positions(view, range, give_row, &list)
               : __real_store_scan_positions(view, range, row_cb, arg);
}

int __wrap_store_verify(struct store_view *view, const struct store_verify *how,
                        struct store_verified *ret)
{
    const struct store_finding finding = {.fault = STORE_WRONG, .table = "usage", .text = "a text"};
    int rc = __real_store_verify(view, how, ret);
    if (rc == 0 && told.lie == STORE_FINDS_DAMAGE) {
        rc = how->finding_cb(&finding, how->arg);
    }
    ret->records -= told.lie == STORE_VERIFIES_LESS;
    return rc;
}

/* --- a small business ------------------------------------------------------------------------- */

struct scene {
    struct business b;
    uint64_t usage_seq; /* two, and a void of the second and an adjustment behind them */
};

enum {
    VOID_BEHIND = 2, /* the first usage */
    ADJUSTMENT_BEHIND = 3,
};

static int setup(void **state)
{
    struct scene *scene = testkit_alloc(sizeof *scene);
    struct business *b = &scene->b;
    business_open(b, NULL);
    scene->usage_seq = business_do_usage(b, "u", 0)->answer.seq;
    business_do_void(b, business_do_usage(b, "w", 0));
    business_do_adjustment(b);
    told.lie = TRUTH;
    told.by = STORE_BY_OCCURRED;
    told.seq = scene->usage_seq;
    told.other = scene->usage_seq + 1;
    *state = scene;
    return 0;
}

static int teardown(void **state)
{
    struct scene *scene = *state;
    told.lie = TRUTH;
    business_close(&scene->b);
    return 0;
}

/* --- ways that mislead ------------------------------------------------------------------------ */

static void check__all_told_truly__finds_nothing(void **state)
{
    struct scene *scene = *state;
    struct business *b = &scene->b;
    business_check(b);
    if (checker_violations(&b->result) != 0) {
        testkit_fail("%s", b->result.texts[0]);
    }
    assert_u64(b->result.acknowledged, 5);
}

/* With LIE the store is unsound, which is said with TEXT. */
static void assert_seen(struct scene *scene, enum lie lie, const char *text)
{
    struct business *b = &scene->b;
    told.lie = lie;
    business_check(b);
    assert_u64(b->result.unsound, 1);
    assert_u64(checker_violations(&b->result), 1);
    assert_contains(b->result.texts[0], text);
}

static void check__request_id_that_leads_nowhere__is_unsound(void **state)
{
    assert_seen(*state, REQUEST_LEADS_NOWHERE, "looked up, request 1 ('u') is record 0");
}

static void check__request_id_that_leads_elsewhere__is_unsound(void **state)
{
    assert_seen(*state, REQUEST_LEADS_ELSEWHERE, "looked up, request 1 ('u')");
}

static void check__list_without_a_record__is_unsound(void **state)
{
    assert_seen(*state, LIST_LEAVES_ONE_OUT, "3 records of 4");
}

static void check__list_by_bill_without_a_record__is_unsound(void **state)
{
    told.by = STORE_BY_BILLED;
    assert_seen(*state, LIST_LEAVES_ONE_OUT, "3 records of 4");
}

static void check__list_with_a_record_twice_for_another__is_unsound(void **state)
{
    assert_seen(*state, LIST_HAS_ONE_TWICE, "4 records of 4, out of order");
}

static void check__customer_by_another_name__is_unsound(void **state)
{
    assert_seen(*state, CUSTOMER_IS_RENAMED, "is not as it was created");
}

static void check__customer_invoiced_without_an_invoice__is_unsound(void **state)
{
    assert_seen(*state, CUSTOMER_IS_INVOICED, "is not as it was created and invoiced");
}

static void check__store_that_finds_damage__is_unsound(void **state)
{
    assert_seen(*state, STORE_FINDS_DAMAGE, "verify: ");
}

static void check__store_that_verifies_less_than_there_is__is_unsound(void **state)
{
    assert_seen(*state, STORE_VERIFIES_LESS, "4 records of 5");
}

/* --- payloads --------------------------------------------------------------------------------- */

/* Where ALTER has changed the record SEQ its payload is wrong, which is said with WHAT. */
static void assert_wrong(struct scene *scene, uint64_t seq, void (*alter)(struct record *record),
                         const char *what)
{
    struct business *b = &scene->b;
    memory_store_alter(b->book->memory, seq, alter);
    business_check(b);
    assert_u64(b->result.wrong_payload, 1);
    assert_u64(b->result.lost + b->result.doubled + b->result.foreign, 0);
    assert_contains(b->result.texts[0], what);
}

static void set_name(struct record *record)
{
    record->customer_created.name = SLICE("Acne");
}

static void check__customer_of_another_name__is_a_wrong_payload(void **state)
{
    struct scene *scene = *state;
    assert_wrong(scene, scene->b.customer_seq, set_name, "the name is 'Acne' in place of 'Acme'");
}

static void set_external_id(struct record *record)
{
    record->customer_created.external_id = (struct slice){0};
}

static void check__customer_without_its_external_id__is_a_wrong_payload(void **state)
{
    struct scene *scene = *state;
    assert_wrong(scene, scene->b.customer_seq, set_external_id,
                 "the external id is '' in place of 'acme'");
}

static void set_price(struct record *record)
{
    record->usage.price = book_decimal("0.5");
}

static void check__usage_at_another_price__is_a_wrong_payload(void **state)
{
    struct scene *scene = *state;
    assert_wrong(scene, scene->usage_seq, set_price, "the price is '0.5' in place of '0.05'");
}

static void set_service(struct record *record)
{
    record->usage.service = SLICE("Egress");
}

static void check__usage_of_another_service__is_a_wrong_payload(void **state)
{
    struct scene *scene = *state;
    assert_wrong(scene, scene->usage_seq, set_service, "the service is 'Egress'");
}

static void set_label(struct record *record)
{
    static uint8_t encoded[LABELS_BYTES_MAX];
    struct label label = {SLICE(LOGGED_LABEL), SLICE("eu")};
    size_t length = labels_encode(&label, 1, encoded);
    record->usage.labels = (struct slice){(const char *)encoded, length};
}

static void check__usage_with_a_label_that_nobody_gave__is_a_wrong_payload(void **state)
{
    struct scene *scene = *state;
    assert_wrong(scene, scene->usage_seq, set_label, "the label is 'eu' in place of ''");
}

static void set_given(struct record *record)
{
    record->usage.occurred_at_given = true;
}

static void check__usage_with_a_time_that_nobody_gave__is_a_wrong_payload(void **state)
{
    struct scene *scene = *state;
    assert_wrong(scene, scene->usage_seq, set_given, "occurred_at was given");
}

static void set_reason(struct record *record)
{
    record->usage_voided.reason = SLICE("a mistake");
}

static void check__void_for_another_reason__is_a_wrong_payload(void **state)
{
    struct scene *scene = *state;
    assert_wrong(scene, scene->usage_seq + VOID_BEHIND, set_reason, "the reason is 'a mistake'");
}

static void set_usage(struct record *record)
{
    record->usage_voided.usage--;
}

static void check__void_of_another_usage__is_a_wrong_payload(void **state)
{
    struct scene *scene = *state;
    assert_wrong(scene, scene->usage_seq + VOID_BEHIND, set_usage, "what it voids");
}

static void set_adjusted_service(struct record *record)
{
    record->adjustment.service = SLICE("Egress");
}

static void check__adjustment_of_another_service__is_a_wrong_payload(void **state)
{
    struct scene *scene = *state;
    assert_wrong(scene, scene->usage_seq + ADJUSTMENT_BEHIND, set_adjusted_service,
                 "the service is 'Egress' in place of ''");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    TEST(check__all_told_truly__finds_nothing),
    TEST(check__request_id_that_leads_nowhere__is_unsound),
    TEST(check__request_id_that_leads_elsewhere__is_unsound),
    TEST(check__list_without_a_record__is_unsound),
    TEST(check__list_by_bill_without_a_record__is_unsound),
    TEST(check__list_with_a_record_twice_for_another__is_unsound),
    TEST(check__customer_by_another_name__is_unsound),
    TEST(check__customer_invoiced_without_an_invoice__is_unsound),
    TEST(check__store_that_finds_damage__is_unsound),
    TEST(check__store_that_verifies_less_than_there_is__is_unsound),
    TEST(check__customer_of_another_name__is_a_wrong_payload),
    TEST(check__customer_without_its_external_id__is_a_wrong_payload),
    TEST(check__usage_at_another_price__is_a_wrong_payload),
    TEST(check__usage_of_another_service__is_a_wrong_payload),
    TEST(check__usage_with_a_label_that_nobody_gave__is_a_wrong_payload),
    TEST(check__usage_with_a_time_that_nobody_gave__is_a_wrong_payload),
    TEST(check__void_for_another_reason__is_a_wrong_payload),
    TEST(check__void_of_another_usage__is_a_wrong_payload),
    TEST(check__adjustment_of_another_service__is_a_wrong_payload),
};

TESTKIT_MAIN(tests)
