#include "billingd/ledger/catalogue.h"

int catalogue_check(struct store_view *view, const struct ledger_env *env, struct slice service,
                    struct outcome *outcome)
{
    struct store_service listed;
    if (!env->catalogue_listed) {
        return 0;
    }
    int rc = store_service(view, service, &listed);
    if (rc == STATUS_NOT_FOUND) {
        outcome->status = STATUS_SERVICE_NOT_ALLOWED;
        return 0;
    }
    return rc;
}

static int keep(struct arena *arena, struct store_service *service)
{
    int rc = arena_copy(arena, service->name, &service->name);
    return rc < 0 ? rc : arena_copy(arena, service->unit, &service->unit);
}

int catalogue_put(struct store_txn *txn, struct arena *arena, struct catalogue_put *put)
{
    struct record record = {
        .kind = RECORD_SERVICE_PUT,
        .recorded_by = put->recorded_by,
        .service_put = {.name = put->name, .unit = put->unit},
    };
    put->recorded = false;
    int rc = store_service(store_txn_view(txn), put->name, &put->service);
    bool is_new = rc == STATUS_NOT_FOUND;
    if (rc < 0 && !is_new) {
        return rc;
    }
    if (!is_new && slice_equal(put->service.unit, put->unit)) {
        return keep(arena, &put->service);
    }
    rc = store_append(txn, &record);
    put->service.name = put->name;
    put->service.unit = put->unit;
    put->service.created_at_us = is_new ? record.created_at_us : put->service.created_at_us;
    put->service.updated_at_us = record.created_at_us;
    put->recorded = rc == 0;
    return rc;
}

int catalogue_delete(struct store_txn *txn, struct catalogue_delete *delete)
{
    struct record record = {
        .kind = RECORD_SERVICE_DELETED,
        .recorded_by = delete->recorded_by,
        .service_deleted = {.name = delete->name},
    };
    struct store_service service;
    delete->outcome = (struct outcome){0};
    int rc = store_service(store_txn_view(txn), delete->name, &service);
    if (rc == STATUS_NOT_FOUND) {
        delete->outcome.status = STATUS_SERVICE_NOT_FOUND;
        return 0;
    }
    return rc < 0 ? rc : store_append(txn, &record);
}

int catalogue_get(struct store_view *view, struct arena *arena, struct slice name,
                  struct store_service *ret)
{
    int rc = store_service(view, name, ret);
    if (rc == STATUS_NOT_FOUND) {
        return STATUS_SERVICE_NOT_FOUND;
    }
    return rc < 0 ? rc : keep(arena, ret);
}

struct listing {
    struct arena *arena;
    struct catalogue_page *page;
};

static int list_row_cb(const struct store_service *service, void *arg)
{
    struct listing *listing = arg;
    struct catalogue_page *page = listing->page;
    if (page->n == page->limit) {
        page->more = true;
        return STORE_SCAN_STOP;
    }
    struct store_service *kept = &page->services[page->n];
    *kept = *service;
    page->n++;
    return keep(listing->arena, kept);
}

int catalogue_list(struct store_view *view, struct arena *arena, struct catalogue_page *page)
{
    struct listing listing = {.arena = arena, .page = page};
    page->n = 0;
    page->more = false;
    page->services = arena_alloc_array(arena, page->limit, sizeof *page->services);
    if (page->services == NULL) {
        return STATUS_TOO_LARGE;
    }
    return store_scan_services(view, page->after_name, list_row_cb, &listing);
}
