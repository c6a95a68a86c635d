/* What an engine is: the functions behind store.h, one for one, and the heads that their objects
 * begin with.  Included by store.c and by engines only.
 *
 * Each function keeps the promise that store.h makes for its namesake. */
#pragma once

#include "billingd/store/store.h"

struct store_ops;

struct store {
    const struct store_ops *ops;
};

struct store_txn {
    const struct store_ops *ops;
};

struct store_view {
    const struct store_ops *ops;
    const atomic_bool *stopping; /* store.c's own: see store_view_stop_on() */
};

struct store_ops {
    const char *scheme; /* of its URIs, with the colon: "lmdb:" */

    int (*check)(const char *uri, struct errinfo *reason);
    int (*open)(const char *uri, const struct store_options *options, struct store **ret_store,
                struct errinfo *reason);
    void (*close)(struct store *store);

    void (*stats)(struct store *store, struct store_stats *ret); /* *RET is zero */

    int (*begin)(struct store *store, int64_t now_us, struct store_txn **ret_txn);
    struct store_view *(*txn_view)(struct store_txn *txn);
    int (*announce)(struct store_txn *txn, const struct store_key *keys, size_t n);
    int (*append)(struct store_txn *txn, struct record *record);
    int (*commit)(struct store_txn *txn);
    void (*abort)(struct store_txn *txn);

    int (*snapshot)(struct store *store, struct store_view **ret_view);
    void (*release)(struct store_view *view);

    int (*info)(struct store_view *view, struct store_info *ret);
    int (*record)(struct store_view *view, uint64_t seq, struct record *ret);
    int (*request)(struct store_view *view, struct store_key key, struct record *ret);
    int (*customer)(struct store_view *view, uint64_t seq, struct store_customer *ret);
    int (*external_id)(struct store_view *view, struct slice external_id, uint64_t *ret_seq);
    int (*scan_customers)(struct store_view *view, uint64_t after_seq, store_customer_fn row_cb,
                          void *arg);
    int (*scan)(struct store_view *view, const struct store_range *range, store_record_fn row_cb,
                void *arg);
    int (*scan_positions)(struct store_view *view, const struct store_range *range,
                          store_position_fn row_cb, void *arg);
    int (*scan_journal)(struct store_view *view, uint64_t after_seq, store_record_fn row_cb,
                        void *arg);
    int (*scan_sums)(struct store_view *view, const struct store_range *range, store_sum_fn row_cb,
                     void *arg);
    uint64_t (*damaged)(struct store_view *view);
    int (*void_of)(struct store_view *view, uint64_t usage_seq, struct record *ret);
    int (*invoice)(struct store_view *view, uint64_t number, struct record *ret);
    int (*scan_invoices)(struct store_view *view, uint64_t customer, uint64_t after_number,
                         store_record_fn row_cb, void *arg);
    int (*service)(struct store_view *view, struct slice name, struct store_service *ret);
    int (*scan_services)(struct store_view *view, struct slice after_name, store_service_fn row_cb,
                         void *arg);
    int (*api_key)(struct store_view *view, uint64_t seq, struct store_api_key *ret);
    int (*api_key_named)(struct store_view *view, struct slice name, uint64_t *ret_seq);
    int (*scan_api_keys)(struct store_view *view, uint64_t after_seq, store_api_key_fn row_cb,
                         void *arg);
    int (*verify)(struct store_view *view, const struct store_verify *how,
                  struct store_verified *ret); /* progress_cb is set */
    int (*look)(const char *uri, const struct store_options *options, struct store_found *ret,
                struct errinfo *reason);
    int (*backup_check)(struct store *store, const char *directory, struct errinfo *reason);
    int (*backup)(struct store *store, const struct store_backup *how, struct store_copied *ret,
                  struct errinfo *reason); /* progress_cb is set */
};

extern const struct store_ops store_lmdb;
