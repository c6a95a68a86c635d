#include "tests/lib/check_store.h"

#include "billingd/store/store.h"
#include "tests/lib/testkit.h"

static const uint64_t map_bytes = UINT64_C(1) << 34;

static int print_finding(const struct store_finding *finding, void *arg)
{
    (void)arg;
    print_message("%s in %s, record %llu, segment %llu: %s\n", store_fault_name(finding->fault),
                  finding->table, (unsigned long long)finding->seq,
                  (unsigned long long)finding->segment, finding->text);
    return 0;
}

static struct store *open_store(const char *data_dir)
{
    struct store_options options = {
        .data_dir = data_dir,
        .map_bytes = map_bytes,
        .readers_max = 1,
        .currency = "USD",
    };
    struct errinfo reason = {""};
    struct store *store;
    if (store_open("lmdb:", &options, &store, &reason) < 0) {
        testkit_fail("%s", reason.message);
    }
    return store;
}

uint64_t check_store(const char *data_dir)
{
    struct store *store = open_store(data_dir);
    struct store_view *view;
    struct store_verify verify = {.finding_cb = print_finding};
    struct store_verified verified;
    assert_ok(store_snapshot(store, &view));
    assert_ok(store_verify(view, &verify, &verified));
    store_release(view);
    store_close(store);
    assert_u64(verified.findings, 0);
    return verified.records;
}
