/* What store.h promises, of any engine: store_contract [URI] [PATTERN], "lmdb:" unless given. */
#include <pthread.h>
#include <stdio.h>

#include "tests/store/fixture.h"
#include "tests/store/history.h"
#include "tests/store/sealing.h"

/* --- opening ---------------------------------------------------------------------------------- */

static void open__new_store__is_empty_and_keeps_its_identity(void **state)
{
    const char *directory = testkit_tmpdir();
    struct store *store = open_in(directory);
    struct store_view *view = snapshot(store);
    struct store_info first;
    struct store_info again;
    (void)state;
    assert_ok(store_info(view, &first));
    assert_u64(first.last_seq, 0);
    assert_u64(first.customers, 0);
    assert_u64(first.usage, 0);
    assert_i64(first.created_at_us, birth_us);
    assert_true(strlen(first.engine) > 0);
    store_release(view);
    store_close(store);
    struct store_options later = options_in(directory);
    later.now_us++;
    store = open_with(&later);
    view = snapshot(store);
    assert_ok(store_info(view, &again));
    assert_u64(again.id_key, first.id_key);
    assert_i64(again.created_at_us, birth_us);
    store_release(view);
    store_close(store);
}

static void open__two_stores__have_different_keys(void **state)
{
    struct store_info infos[2];
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct store *store = open_in(testkit_tmpdir());
        struct store_view *view = snapshot(store);
        assert_ok(store_info(view, &infos[i]));
        store_release(view);
        store_close(store);
    }
    assert_true(infos[0].id_key != infos[1].id_key);
}

static void open__while_open__is_refused(void **state)
{
    struct store_options options = options_in(testkit_tmpdir());
    struct store *store = open_with(&options);
    (void)state;
    assert_refused(&options, "in use");
    store_close(store);
    store_close(open_with(&options));
}

static void open__another_currency__is_refused_by_name(void **state)
{
    struct store_options options = options_in(testkit_tmpdir());
    (void)state;
    store_close(open_with(&options));
    options.currency = "EUR";
    assert_refused(&options, "USD");
    assert_refused(&options, "EUR");
    options.currency = "USD";
    store_close(open_with(&options));
}

static void open__unknown_engine__is_refused_by_name(void **state)
{
    struct store_options options = options_in(testkit_tmpdir());
    struct errinfo reason = {""};
    struct store *store;
    (void)state;
    assert_status(store_open("nosuch:thing", &options, &store, &reason), STATUS_OUT_OF_BOUNDS);
    assert_contains(reason.message, "nosuch:thing");
}

/* --- transactions ----------------------------------------------------------------------------- */

static void txn__own_writes__are_seen_by_it_alone(void **state)
{
    struct model *model = model_create();
    struct model *nothing = model_create();
    struct rng rng = rng_make("own writes");
    struct store *store = open_in(testkit_tmpdir());
    struct store_txn *txn = begin(store, birth_us);
    struct record acme = customer_named("Acme", "a-1");
    struct record first = usage_at(1, 5 * hour_us, 9 * hour_us, "r1");
    struct record second = usage_at(1, 7 * hour_us, 7 * hour_us, "r2");
    struct record ajax = renamed_to(1, "Ajax");
    (void)state;
    append(txn, model, &acme, birth_us);
    append(txn, model, &first, birth_us);
    append(txn, model, &second, birth_us);
    append(txn, model, &ajax, birth_us);
    model_check(model, store_txn_view(txn), &rng, 10 * hour_us, 3);
    check_now(store, nothing);
    assert_ok(store_commit(txn));
    settle(store, model);
    check_now(store, model);
    store_close(store);
}

static void txn__aborted__leaves_nothing_and_no_gap(void **state)
{
    struct model *model = model_create();
    struct model *aborted = model_create();
    struct store *store = open_in(testkit_tmpdir());
    struct record acme = customer_named("Acme", "a-1");
    struct record ajax = customer_named("Ajax", "a-1");
    (void)state;
    struct store_txn *txn = begin(store, birth_us);
    append(txn, aborted, &acme, birth_us);
    store_abort(txn);
    check_now(store, model);
    txn = begin(store, birth_us + 1);
    append(txn, model, &ajax, birth_us + 1); /* the number and the external id are free again */
    assert_ok(store_commit(txn));
    settle(store, model);
    check_now(store, model);
    store_close(store);
}

static void txn__empty__commits(void **state)
{
    struct model *nothing = model_create();
    struct store *store = open_in(testkit_tmpdir());
    (void)state;
    assert_ok(store_commit(begin(store, birth_us)));
    check_now(store, nothing);
    store_close(store);
}

static void txn__announced_keys__are_found_or_not(void **state)
{
    struct model *model = model_create();
    struct store *store = open_in(testkit_tmpdir());
    struct record acme = customer_named("Acme", "");
    struct record usage = usage_at(1, 0, 0, "r1");
    struct store_key keys[] = {{1, SLICE("r1")}, {1, SLICE("r2")}, {7, SLICE("r1")}};
    struct record found;
    (void)state;
    struct store_txn *txn = begin(store, birth_us);
    append(txn, model, &acme, birth_us);
    append(txn, model, &usage, birth_us);
    assert_ok(store_commit(txn));
    settle(store, model);
    txn = begin(store, birth_us);
    assert_ok(store_announce(txn, keys, 3));
    assert_ok(store_announce(txn, NULL, 0));
    assert_ok(store_request(store_txn_view(txn), keys[0], &found));
    assert_u64(found.seq, 2);
    assert_status(store_request(store_txn_view(txn), keys[1], &found), STATUS_NOT_FOUND);
    assert_status(store_request(store_txn_view(txn), keys[2], &found), STATUS_NOT_FOUND);
    store_abort(txn);
    store_close(store);
}

static void append__id_that_is_not_free__spoils_the_transaction(void **state)
{
    struct model *model = model_create();
    struct store *store = open_in(testkit_tmpdir());
    struct record acme = customer_named("Acme", "a-1");
    struct record usage = usage_at(1, 0, 0, "r1");
    struct record again[] = {usage_at(1, hour_us, hour_us, "r1"), customer_named("Ajax", "a-1")};
    (void)state;
    struct store_txn *txn = begin(store, birth_us);
    append(txn, model, &acme, birth_us);
    append(txn, model, &usage, birth_us);
    assert_ok(store_commit(txn));
    settle(store, model);
    for (int i = 0; i < 2; i++) {
        struct record other = usage_at(1, 0, 0, "r2");
        txn = begin(store, birth_us);
        assert_status(store_append(txn, &again[i]), STATUS_INTERNAL);
        assert_status(store_append(txn, &other), STATUS_INTERNAL);
        if (i == 0) {
            assert_status(store_commit(txn), STATUS_INTERNAL);
        } else {
            store_abort(txn);
        }
        check_now(store, model);
    }
    store_close(store);
}

static void append__ten_thousand_records__in_one_commit(void **state)
{
    struct model *model = model_create();
    struct rng rng = rng_make("ten thousand");
    struct store *store = open_in(testkit_tmpdir());
    struct store_txn *txn = begin(store, birth_us);
    struct record acme = customer_named("Acme", "");
    (void)state;
    append(txn, model, &acme, birth_us);
    for (int i = 0; i < LIMIT_BATCH_ITEMS; i++) {
        struct record usage = history_usage(&rng, model);
        usage.request_id = text_copy(testkit_format("%016llx", (long long)rng_next(&rng)));
        append(txn, model, &usage, birth_us);
    }
    assert_ok(store_commit(txn));
    settle(store, model);
    check_now(store, model);
    store_close(store);
}

static void append__largest_records__come_back(void **state)
{
    struct model *model = model_create();
    struct rng rng = rng_make("largest");
    const char *directory = testkit_tmpdir();
    struct store *store = open_in(directory);
    struct store_txn *txn = begin(store, TIMESTAMP_MAX);
    struct record customer = {.kind = RECORD_CUSTOMER_CREATED};
    (void)state;
    customer.request_id = random_text(&rng, LIMIT_REQUEST_ID_BYTES, LIMIT_REQUEST_ID_BYTES);
    customer.customer_created.name =
        random_text(&rng, LIMIT_CUSTOMER_NAME_BYTES, LIMIT_CUSTOMER_NAME_BYTES);
    customer.customer_created.external_id =
        random_text(&rng, LIMIT_EXTERNAL_ID_BYTES, LIMIT_EXTERNAL_ID_BYTES);
    append(txn, model, &customer, TIMESTAMP_MAX);
    for (int i = 0; i < 40; i++) { /* many blocks, each of few records */
        struct record usage = largest_usage(&rng);
        usage.usage.customer = 1;
        append(txn, model, &usage, TIMESTAMP_MAX);
    }
    assert_ok(store_commit(txn));
    settle(store, model);
    store_close(store);
    store = open_in(directory);
    struct store_view *view = snapshot(store);
    model_check(model, view, &rng, TIMESTAMP_MAX, 2);
    model_verify(model, view);
    store_release(view);
    store_close(store);
}

/* --- lookups ---------------------------------------------------------------------------------- */

/* Two customers, 1 and 2, with the requests "a", "ab" and "b" each, but "b" only of the first. */
static struct store *store_with_requests(struct model *model)
{
    struct store *store = open_in(testkit_tmpdir());
    struct store_txn *txn = begin(store, birth_us);
    struct record records[] = {
        customer_named("one", "x-1"), customer_named("two", "x-12"), usage_at(1, 10, 10, "a"),
        usage_at(1, 20, 20, "ab"),    usage_at(2, 30, 30, "a"),      usage_at(2, 40, 40, "ab"),
        usage_at(1, 50, 50, "b"),
    };
    records[0].request_id = SLICE("a"); /* in the daemon's own scope */
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        append(txn, model, &records[i], birth_us);
    }
    assert_ok(store_commit(txn));
    settle(store, model);
    return store;
}

static void request__same_id_in_other_scopes__are_others(void **state)
{
    struct model *model = model_create();
    struct store *store = store_with_requests(model);
    struct store_view *view = snapshot(store);
    static const struct {
        uint64_t scope;
        const char *id;
        uint64_t seq; /* 0: none */
    } cases[] = {{0, "a", 1}, {1, "a", 3}, {1, "ab", 4}, {2, "a", 5}, {2, "ab", 6}, {1, "b", 7},
                 {2, "b", 0}, {0, "b", 0}, {3, "a", 0},  {1, "A", 0}, {1, "abc", 0}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct record record;
        struct store_key key = {cases[i].scope, slice_of(cases[i].id)};
        int rc = store_request(view, key, &record);
        assert_status(rc, cases[i].seq == 0 ? STATUS_NOT_FOUND : 0);
        if (rc == 0) {
            assert_u64(record.seq, cases[i].seq);
        }
    }
    store_release(view);
    store_close(store);
}

static void lookup__ids_that_cannot_be__are_not_found(void **state)
{
    static char text[1000];
    struct model *model = model_create();
    struct store *store = store_with_requests(model);
    struct store_view *view = snapshot(store);
    struct record record;
    struct store_customer customer;
    uint64_t seq;
    (void)state;
    memset(text, 'a', sizeof text);
    for (size_t length = 0; length <= sizeof text; length += 100) {
        struct store_key key = {1, {text, length}};
        assert_status(store_request(view, key, &record), STATUS_NOT_FOUND);
        assert_status(store_external_id(view, key.request_id, &seq), STATUS_NOT_FOUND);
    }
    assert_status(store_external_id(view, SLICE("x-"), &seq), STATUS_NOT_FOUND);
    assert_status(store_customer(view, 0, &customer), STATUS_NOT_FOUND);
    assert_status(store_customer(view, 3, &customer), STATUS_NOT_FOUND); /* a usage */
    assert_status(store_customer(view, UINT64_MAX, &customer), STATUS_NOT_FOUND);
    store_release(view);
    store_close(store);
}

static void customer__renamed__has_new_name_and_time(void **state)
{
    struct model *model = model_create();
    struct store *store = store_with_requests(model);
    struct record ajax = renamed_to(2, "Ajax");
    struct record empty = renamed_to(2, "");
    struct store_customer customer;
    (void)state;
    struct store_txn *txn = begin(store, birth_us + 5);
    append(txn, model, &ajax, birth_us + 5);
    assert_ok(store_commit(txn));
    check_now(store, model);
    txn = begin(store, birth_us + 9);
    append(txn, model, &empty, birth_us + 9);
    assert_ok(store_commit(txn));
    settle(store, model);
    check_now(store, model);
    struct store_view *view = snapshot(store);
    assert_ok(store_customer(view, 2, &customer));
    assert_u64(customer.name.length, 0);
    assert_i64(customer.created_at_us, birth_us);
    assert_i64(customer.updated_at_us, birth_us + 9);
    assert_i64(customer.billed_until_us, 0);
    assert_text(customer.external_id.data, customer.external_id.length, "x-12");
    store_release(view);
    store_close(store);
}

/* --- scans ------------------------------------------------------------------------------------ */

struct seqs {
    uint64_t seq[32];
    size_t n;
    size_t stop_at;  /* after so many */
    int stop_status; /* with this */
};

static int collect_record(const struct record *record, void *arg)
{
    struct seqs *seqs = arg;
    seqs->seq[seqs->n++] = record->seq;
    return seqs->n == seqs->stop_at ? seqs->stop_status : 0;
}

static int collect_customer(const struct store_customer *customer, void *arg)
{
    struct seqs *seqs = arg;
    seqs->seq[seqs->n++] = customer->seq;
    return seqs->n == seqs->stop_at ? seqs->stop_status : 0;
}

static int collect_sum(const struct store_sum *sum, void *arg)
{
    struct seqs *seqs = arg;
    seqs->seq[seqs->n++] = sum->records;
    return seqs->n == seqs->stop_at ? seqs->stop_status : 0;
}

/* One customer, 1; usage 2 at 10, 3 at 20 that bills at 40, 4 at 30, 5 at 30 again, and 6 at 40. */
static struct store *store_with_times(void)
{
    static const struct {
        int64_t occurred_at_us;
        int64_t bills_at_us;
    } times[] = {{10, 10}, {20, 40}, {30, 30}, {30, 30}, {40, 40}};
    struct model *model = model_create();
    struct store *store = open_in(testkit_tmpdir());
    struct store_txn *txn = begin(store, birth_us);
    struct record customer = customer_named("one", "");
    append(txn, model, &customer, birth_us);
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        struct record usage = usage_at(1, times[i].occurred_at_us, times[i].bills_at_us, "");
        append(txn, model, &usage, birth_us);
    }
    assert_ok(store_commit(txn));
    settle(store, model);
    return store;
}

static void scan_usage__ranges_and_positions__give_what_lies_within(void **state)
{
    static const struct {
        struct store_range range;
        const char *seqs;
    } cases[] = {
        {{1, STORE_USAGE, STORE_BY_OCCURRED, 0, INT64_MAX, {0}}, "23456"},
        {{1, STORE_USAGE, STORE_BY_BILLED, 0, INT64_MAX, {0}}, "24536"},
        {{1, STORE_USAGE, STORE_BY_OCCURRED, INT64_MIN, INT64_MAX, {0}}, "23456"},
        {{1, STORE_USAGE, STORE_BY_OCCURRED, 10, 40, {0}},
         "2345"}, /* from here, up to before there */
        {{1, STORE_USAGE, STORE_BY_BILLED, 10, 40, {0}}, "245"},
        {{1, STORE_USAGE, STORE_BY_OCCURRED, 11, 41, {0}}, "3456"},
        {{1, STORE_USAGE, STORE_BY_BILLED, 11, 41, {0}}, "4536"},
        {{1, STORE_USAGE, STORE_BY_OCCURRED, 20, 20, {0}}, ""},
        {{1, STORE_USAGE, STORE_BY_OCCURRED, 40, 10, {0}}, ""},
        {{1, STORE_USAGE, STORE_BY_OCCURRED, INT64_MIN, -5, {0}}, ""},
        {{1, STORE_USAGE, STORE_BY_OCCURRED, 41, INT64_MAX, {0}}, ""},
        {{1, STORE_USAGE, STORE_BY_OCCURRED, INT64_MAX, INT64_MAX, {0}}, ""},
        {{2, STORE_USAGE, STORE_BY_OCCURRED, 0, INT64_MAX, {0}}, ""}, /* no such customer */
        {{0, STORE_USAGE, STORE_BY_BILLED, 0, INT64_MAX, {0}}, ""},
        {{UINT64_MAX, STORE_USAGE, STORE_BY_BILLED, 0, INT64_MAX, {0}}, ""},
        {{1, STORE_USAGE, STORE_BY_OCCURRED, 0, INT64_MAX, {30, 4}},
         "56"}, /* behind one of two at a time */
        {{1, STORE_USAGE, STORE_BY_OCCURRED, 0, INT64_MAX, {30, 3}}, "456"},
        {{1, STORE_USAGE, STORE_BY_OCCURRED, 0, INT64_MAX, {30, UINT64_MAX}}, "6"},
        {{1, STORE_USAGE, STORE_BY_BILLED, 0, INT64_MAX, {40, 3}}, "6"},
        {{1, STORE_USAGE, STORE_BY_BILLED, 0, INT64_MAX, {40, 6}}, ""},
        {{1, STORE_USAGE, STORE_BY_OCCURRED, 30, INT64_MAX, {10, 2}},
         "456"}, /* a position before the range */
        {{1, STORE_USAGE, STORE_BY_OCCURRED, 0, 30, {30, 4}}, ""},
        {{1, STORE_USAGE, STORE_BY_OCCURRED, 0, INT64_MAX, {INT64_MAX, UINT64_MAX}}, ""},
    };
    struct store *store = store_with_times();
    struct store_view *view = snapshot(store);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct seqs seqs = {.n = 0};
        assert_ok(store_scan(view, &cases[i].range, collect_record, &seqs));
        assert_u64(seqs.n, strlen(cases[i].seqs));
        for (size_t j = 0; j < seqs.n; j++) {
            assert_u64(seqs.seq[j], cases[i].seqs[j] - '0');
        }
    }
    store_release(view);
    store_close(store);
}

static void scan__callback_ends_it__with_its_status(void **state)
{
    static const int statuses[] = {STORE_SCAN_STOP, STATUS_BUSY, STATUS_NOT_FOUND, STATUS_CORRUPT};
    struct store *store = store_with_times();
    struct store_view *view = snapshot(store);
    struct store_range range = {1, STORE_USAGE, STORE_BY_BILLED, 0, INT64_MAX, {0}};
    (void)state;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        int expected = statuses[i] == STORE_SCAN_STOP ? 0 : statuses[i];
        struct seqs seqs = {.stop_at = 2, .stop_status = statuses[i]};
        assert_status(store_scan(view, &range, collect_record, &seqs), expected);
        assert_u64(seqs.n, 2);
        seqs = (struct seqs){.stop_at = 1, .stop_status = statuses[i]};
        assert_status(store_scan_sums(view, &range, collect_sum, &seqs), expected);
        assert_u64(seqs.n, 1);
        seqs = (struct seqs){.stop_at = 1, .stop_status = statuses[i]};
        assert_status(store_scan_customers(view, 0, collect_customer, &seqs), expected);
        assert_u64(seqs.n, 1);
    }
    store_release(view);
    store_close(store);
}

static void scan_customers__after_a_number__gives_the_rest(void **state)
{
    struct model *model = model_create();
    struct store *store = store_with_requests(model);
    struct store_view *view = snapshot(store);
    static const struct {
        uint64_t after;
        size_t n;
    } cases[] = {{0, 2}, {1, 1}, {2, 0}, {5, 0}, {UINT64_MAX, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct seqs seqs = {.n = 0};
        assert_ok(store_scan_customers(view, cases[i].after, collect_customer, &seqs));
        assert_u64(seqs.n, cases[i].n);
        assert_true(seqs.n == 0 || seqs.seq[seqs.n - 1] == 2);
    }
    store_release(view);
    store_close(store);
}

/* --- views ------------------------------------------------------------------------------------ */

static void view__while_commits_go_on__stays_as_it_was(void **state)
{
    struct rng rng = rng_make("isolation");
    struct model *model = model_create();
    struct store *store = open_in(testkit_tmpdir());
    struct store_view *views[READERS_MAX];
    const struct model *models[READERS_MAX];
    (void)state;
    for (int i = 0; i < READERS_MAX; i++) {
        for (int step = 0; step < 30; step++) {
            history_step(&rng, store, model, 10);
        }
        settle(store, model);
        views[i] = snapshot(store);
        models[i] = model_copy(model);
    }
    for (int step = 0; step < 30; step++) {
        history_step(&rng, store, model, 10);
    }
    settle(store, model);
    for (int i = 0; i < READERS_MAX; i++) {
        model_check(models[i], views[i], &rng, history_time_max_us, 2);
        model_verify(models[i], views[i]);
        store_release(views[i]);
    }
    check_now(store, model);
    store_close(store);
}

/* The same view taken up again must not look where an earlier state was. */
static void view__taken_again__reads_what_is_there_now(void **state)
{
    struct model *model = model_create();
    struct store *store = open_in(testkit_tmpdir());
    struct record customer = customer_named("one", "");
    struct record record;
    (void)state;
    struct store_txn *txn = begin(store, birth_us);
    append(txn, model, &customer, birth_us);
    assert_ok(store_commit(txn));
    for (uint64_t seq = 1; seq < 100; seq = model->records) {
        struct store_view *view = snapshot(store);
        assert_ok(store_record(view, seq, &record));
        store_release(view);
        for (int i = 0; i < 6; i++) {
            struct record usage = usage_at(1, i, i, testkit_format("r%u-%d", (unsigned)seq, i));
            txn = begin(store, birth_us);
            append(txn, model, &usage, birth_us);
            assert_ok(store_commit(txn));
        }
        settle(store, model);
        view = snapshot(store);
        assert_ok(store_record(view, seq, &record));
        assert_same_record(&record, &model->record[seq - 1]);
        store_release(view);
    }
    store_close(store);
}

static void view__beyond_readers_max__busy(void **state)
{
    struct store *store = open_in(testkit_tmpdir());
    struct store_view *views[READERS_MAX];
    struct store_view *another;
    (void)state;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < READERS_MAX; i++) {
            views[i] = snapshot(store);
        }
        assert_status(store_snapshot(store, &another), STATUS_BUSY);
        assert_ok(store_commit(begin(store, birth_us))); /* writing needs none of them */
        store_release(views[round]);
        views[round] = snapshot(store);
        for (int i = 0; i < READERS_MAX; i++) {
            store_release(views[i]);
        }
    }
    store_close(store);
}

/* Readers on threads of their own; each collects what it finds wrong. */
struct reader {
    struct store *store;
    uint64_t last_seq; /* the highest seen */
    const char *problem;
};

static int count_record(const struct record *record, void *arg)
{
    (void)record;
    ++*(uint64_t *)arg;
    return 0;
}

static const char *read_once(struct reader *reader)
{
    struct store_range range = {1, STORE_USAGE, STORE_BY_BILLED, 0, INT64_MAX, {0}};
    struct store_view *view;
    struct store_info info;
    uint64_t found = 0;
    const char *problem = NULL;
    if (store_snapshot(reader->store, &view) < 0) {
        return "no view";
    }
    if (store_info(view, &info) < 0 || store_scan(view, &range, count_record, &found) < 0) {
        problem = "a read failed";
    } else if (found != info.usage || info.last_seq != info.usage + 1) {
        problem = "records and counts differ";
    } else if (info.last_seq < reader->last_seq) {
        problem = "a later view is older";
    }
    reader->last_seq = info.last_seq;
    store_release(view);
    return problem;
}

static void *read_until_full(void *arg)
{
    struct reader *reader = arg;
    while (reader->problem == NULL && reader->last_seq < 1001) {
        reader->problem = read_once(reader);
    }
    return NULL;
}

static void view__on_other_threads__is_always_whole(void **state)
{
    struct model *model = model_create();
    struct store *store = open_in(testkit_tmpdir());
    struct reader readers[READERS_MAX];
    pthread_t threads[READERS_MAX];
    struct record customer = customer_named("one", "");
    (void)state;
    struct store_txn *txn = begin(store, birth_us);
    append(txn, model, &customer, birth_us);
    assert_ok(store_commit(txn));
    for (int i = 0; i < READERS_MAX; i++) {
        readers[i] = (struct reader){.store = store};
        assert_int_equal(pthread_create(&threads[i], NULL, read_until_full, &readers[i]), 0);
    }
    for (int i = 0; i < 100; i++) {
        uint64_t seals = sealing_count().seals;
        txn = begin(store, birth_us);
        for (int j = 0; j < 10; j++) {
            struct record usage = usage_at(1, j * hour_us, (j + i % 2) * hour_us, "");
            append(txn, model, &usage, birth_us);
        }
        assert_ok(store_commit(txn));
        if (i % 2 == 0) {
            sealing_await(store, seals);
        }
    }
    for (int i = 0; i < READERS_MAX; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        if (readers[i].problem != NULL) {
            testkit_fail("a reader: %s", readers[i].problem);
        }
    }
    store_close(store);
}

/* --- full ------------------------------------------------------------------------------------- */

/* Append N usages and commit.  Returns 0, or the status of what failed, having ended it. */
static int try_to_write(struct store *store, struct model *model, int n)
{
    struct model_mark mark = model_mark(model);
    struct store_txn *txn = begin(store, birth_us);
    int rc = 0;
    for (int i = 0; i < n && rc == 0; i++) {
        struct record usage = usage_at(1, 0, 0, testkit_format("r%u", (unsigned)model->records));
        struct record appended = usage;
        rc = store_append(txn, &appended);
        model_append(model, &usage, birth_us);
    }
    if (rc == 0) {
        rc = store_commit(txn);
    } else {
        store_abort(txn);
    }
    if (rc < 0) {
        model_return(model, &mark);
    }
    return rc;
}

static void full__nothing_of_it_is_recorded_and_reading_goes_on(void **state)
{
    struct model *model = model_create();
    struct store_options options = options_in(testkit_tmpdir());
    struct record customer = customer_named("one", "");
    int rc = 0;
    (void)state;
    options.map_bytes = 1 << 20;
    struct store *store = open_with(&options);
    struct store_txn *txn = begin(store, birth_us);
    append(txn, model, &customer, birth_us);
    assert_ok(store_commit(txn));
    while (rc == 0) {
        rc = try_to_write(store, model, 200);
    }
    assert_status(rc, STATUS_STORAGE_FULL);
    check_now(store, model);
    for (int i = 0; i < 3;
         i++) { /* an engine that tidies up may find room again, and not for ever */
        do {
            rc = try_to_write(store, model, 1); /* what is left, to the last record */
        } while (rc == 0);
        assert_status(rc, STATUS_STORAGE_FULL);
        check_now(store, model);
    }
    store_close(store);
    options.map_bytes = MAP_BYTES;
    store = open_with(&options);
    check_now(store, model);
    assert_ok(try_to_write(store, model, 200));
    settle(store, model);
    check_now(store, model);
    store_close(store);
}

/* --- all of it ------------------------------------------------------------------------------ */

static void history__random__equals_the_model(void **state)
{
    struct rng rng = rng_make("history");
    struct model *model = model_create();
    const char *directory = testkit_tmpdir();
    struct store *store = open_in(directory);
    (void)state;
    while (model->records < 3000) {
        history_step(&rng, store, model, rng_below(&rng, 4) == 0 ? 400 : 20);
        if (rng_below(&rng, 40) == 0) { /* what was committed is what a new start finds */
            settle(store, model);
            store_close(store);
            store = open_in(directory);
        }
    }
    settle(store, model);
    struct store_view *view = snapshot(store);
    model_check(model, view, &rng, history_time_max_us, 6);
    model_verify(model, view);
    store_release(view);
    store_close(store);
    store = open_in(directory);
    view = snapshot(store);
    model_check(model, view, &rng, history_time_max_us, 1);
    model_verify(model, view);
    store_release(view);
    store_close(store);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(open__new_store__is_empty_and_keeps_its_identity),
    cmocka_unit_test(open__two_stores__have_different_keys),
    cmocka_unit_test(open__while_open__is_refused),
    cmocka_unit_test(open__another_currency__is_refused_by_name),
    cmocka_unit_test(open__unknown_engine__is_refused_by_name),
    sealing_test(txn__own_writes__are_seen_by_it_alone),
    sealing_test(txn__aborted__leaves_nothing_and_no_gap),
    cmocka_unit_test(txn__empty__commits),
    sealing_test(txn__announced_keys__are_found_or_not),
    sealing_test(append__id_that_is_not_free__spoils_the_transaction),
    sealing_test(append__ten_thousand_records__in_one_commit),
    sealing_test(append__largest_records__come_back),
    sealing_test(request__same_id_in_other_scopes__are_others),
    sealing_test(lookup__ids_that_cannot_be__are_not_found),
    sealing_test(customer__renamed__has_new_name_and_time),
    sealing_test(scan_usage__ranges_and_positions__give_what_lies_within),
    sealing_test(scan__callback_ends_it__with_its_status),
    sealing_test(scan_customers__after_a_number__gives_the_rest),
    sealing_test(view__while_commits_go_on__stays_as_it_was),
    sealing_test(view__taken_again__reads_what_is_there_now),
    cmocka_unit_test(view__beyond_readers_max__busy),
    sealing_test(view__on_other_threads__is_always_whole),
    sealing_test(full__nothing_of_it_is_recorded_and_reading_goes_on),
    sealing_test(history__random__equals_the_model),
};

int main(int argc, char **argv)
{
    fixture_take_uri(&argc, &argv);
    testkit_begin(argc, argv);
    return testkit_end(cmocka_run_group_tests_name(fixture_uri, tests, NULL, NULL));
}
