/* Verifying stores, keeping what is found, and a store that has one of everything.  Main thread. */
#pragma once

#include "tests/store/surgery.h"

static const char *const merge_late = "lmdb:?head_records=1&merge_width=64";

/* --- what is found ---------------------------------------------------------------------------- */

enum {
    KEPT_MAX = 200,
};

struct kept {
    enum store_fault fault;
    const char *table;
    uint64_t seq;
    uint64_t segment;
    int64_t chunk;
    uint64_t rows;
    const char *text;
};

struct findings {
    struct kept kept[KEPT_MAX];
    size_t n;
    struct store_verified verified;
};

static inline int keep_finding(const struct store_finding *finding, void *arg)
{
    struct findings *findings = arg;
    assert_true(findings->n < KEPT_MAX);
    findings->kept[findings->n++] = (struct kept){
        finding->fault,
        finding->table,
        finding->seq,
        finding->segment,
        finding->chunk,
        finding->rows,
        testkit_format("%s", finding->text),
    };
    return 0;
}

static inline struct findings *verify_view(struct store_view *view)
{
    struct findings *findings = testkit_alloc(sizeof *findings);
    struct store_verify verify = {.finding_cb = keep_finding, .arg = findings};
    assert_ok(store_verify(view, &verify, &findings->verified));
    assert_u64(findings->verified.findings, findings->n);
    return findings;
}

static inline struct findings *verify_in(const char *directory)
{
    fixture_uri = merge_late;
    struct store *store = open_in(directory);
    struct store_view *view = snapshot(store);
    struct findings *findings = verify_view(view);
    store_release(view);
    store_close(store);
    fixture_uri = "lmdb:";
    return findings;
}

static inline void print_all(const struct findings *findings)
{
    for (size_t i = 0; i < findings->n; i++) {
        const struct kept *kept = &findings->kept[i];
        print_message("  %s in %s, record %u, segment %u, chunk %d, rows %u: %s\n",
                      store_fault_name(kept->fault), kept->table, (unsigned)kept->seq,
                      (unsigned)kept->segment, (int)kept->chunk, (unsigned)kept->rows, kept->text);
    }
}

/* How many findings are of FAULT in TABLE, about the record SEQ (0: any). */
static inline size_t count_findings(const struct findings *findings, enum store_fault fault,
                                    const char *table, uint64_t seq)
{
    size_t n = 0;
    for (size_t i = 0; i < findings->n; i++) {
        const struct kept *kept = &findings->kept[i];
        n += kept->fault == fault && strcmp(kept->table, table) == 0 &&
             (seq == 0 || kept->seq == seq);
    }
    return n;
}

static inline void assert_found(const struct findings *findings, enum store_fault fault,
                                const char *table, uint64_t seq)
{
    if (count_findings(findings, fault, table, seq) == 0) {
        print_all(findings);
        testkit_fail("nothing %s was found in %s about record %u", store_fault_name(fault), table,
                     (unsigned)seq);
    }
}

/* Nothing else was found than in TABLE, or OTHER. */
static inline void assert_only(const struct findings *findings, const char *table,
                               const char *other)
{
    for (size_t i = 0; i < findings->n; i++) {
        const char *found = findings->kept[i].table;
        if (strcmp(found, table) != 0 && strcmp(found, other) != 0) {
            print_all(findings);
            testkit_fail("something was found in %s", found);
        }
    }
}

/* --- a store with one of everything ----------------------------------------------------------- */

enum {
    CUSTOMER = 1,
    RENAMED = 2,
    USAGE_FIRST = 4, /* to 23, one an hour; those of odd hours are late */
    USAGES = 20,
    VOID = 24,       /* of the first usage, late; and of the second, in time */
    ADJUSTMENT = 26, /* late; and in time */
    INVOICE = 28,
    SERVICE = 30, /* put, and again */
    KEY = 34,     /* and one more, which is revoked; and a use of the first */
    RECORDS = 38, /* the last one a usage */
};

static inline void append_alone(struct store *store, struct model *model,
                                const struct record *record)
{
    struct store_txn *txn = begin(store, birth_us + (int64_t)model->records);
    append(txn, model, record, birth_us + (int64_t)model->records);
    assert_ok(store_commit(txn));
}

static inline void fill(struct store *store, struct model *model)
{
    struct record records[RECORDS];
    int n = 0;
    records[n++] = customer_named("Acme", "external-1");
    records[n++] = customer_named("Globex", "external-2");
    records[n++] = renamed_to(RENAMED, "Initech");
    for (int i = 0; i < USAGES; i++) {
        records[n++] = usage_at(CUSTOMER + (uint64_t)(i % 2), i * hour_us,
                                (i + i % 2 * 50) * hour_us, testkit_format("request-%d", i));
    }
    for (int i = 0; i < 2; i++) {
        struct record usage = records[USAGE_FIRST - 1 + i];
        usage.seq = USAGE_FIRST + (uint64_t)i;
        records[n++] = void_of(&usage, usage.usage.bills_at_us + (1 - i) * hour_us,
                               testkit_format("void-%d", i));
    }
    records[n++] = adjustment_at(CUSTOMER, hour_us, 2 * hour_us, "adjustment-0");
    records[n++] = adjustment_at(CUSTOMER, 3 * hour_us, 3 * hour_us, "adjustment-1");
    records[n++] = invoice_of(CUSTOMER, 1, 0, hour_us, "invoice-0");
    records[n++] = invoice_of(RENAMED, 2, 0, hour_us, "invoice-1");
    records[n++] = service_put(SLICE("S3"), "GB");
    records[n++] = service_put(SLICE("gone"), "");
    records[n++] = service_put(SLICE("S3"), "GiB");
    records[n++] = service_deleted(SLICE("gone"));
    records[n++] = key_created("ingest");
    records[n++] = key_created("old");
    records[n++] = key_revoked(KEY + 1, "old");
    records[n++] = key_used(KEY, 7 * hour_us);
    records[n++] = usage_at(CUSTOMER, 0, 0, "last");
    for (int i = 0; i < n; i++) {
        append_alone(store, model, &records[i]);
    }
}

/* In one segment, each table of which is one chunk. */
static inline const char *make_first(void)
{
    const char *directory = testkit_tmpdir();
    struct store *store = open_in(directory);
    fill(store, model_create());
    store_close(store);
    seal_all(directory);
    assert_int_equal(count_rows(directory, "manifest"), 1);
    assert_int_equal(count_rows(directory, "segments"), 5);
    return directory;
}

/* The same again, at the cost of a copy. */
static inline const char *make_store(void)
{
    static char *data;
    static size_t bytes;
    const char *directory = testkit_tmpdir();
    if (data == NULL) {
        char *first = testkit_read_file(testkit_format("%s/data.mdb", make_first()), &bytes);
        data = testkit_alloc(bytes);
        memcpy(data, first, bytes);
        free(first);
    }
    testkit_write_file(testkit_format("%s/data.mdb", directory), data, bytes);
    return directory;
}
