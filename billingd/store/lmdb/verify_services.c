#include "billingd/store/lmdb/verify_services.h"

#include <stdlib.h>

#include <xxhash.h>

#include "billingd/store/lmdb/keys_lmdb.h"
#include "billingd/store/lmdb/service_row.h"

enum {
    SLOTS_FIRST = 64,
};

/* What the records say of one service, as far as they were read, backwards. */
struct entry {
    struct store_service service; /* in the view's pages; name.data NULL: a free slot */
    uint64_t seq;                 /* of the last record about it */
    bool there;
    bool decided; /* created_at: what lies before is of another life */
    bool certain; /* no record behind that one is beyond reading */
};

struct verify_services {
    struct entry *slots; /* owned: a hash table, at most half full */
    size_t n_slots;
    size_t n;
};

struct verify_services *verify_services_create(void)
{
    struct verify_services *services = calloc(1, sizeof *services);
    if (services == NULL) {
        return NULL;
    }
    services->n_slots = SLOTS_FIRST;
    services->slots = calloc(SLOTS_FIRST, sizeof *services->slots);
    if (services->slots == NULL) {
        free(services);
        return NULL;
    }
    return services;
}

void verify_services_destroy(struct verify_services *services)
{
    if (services != NULL) {
        free(services->slots);
        free(services);
    }
}

/* The slot of NAME, or the free one where it would be. */
static struct entry *find(const struct verify_services *services, struct slice name)
{
    size_t mask = services->n_slots - 1;
    size_t at = XXH3_64bits(name.data, name.length) & mask;
    while (services->slots[at].service.name.data != NULL &&
           !slice_equal(services->slots[at].service.name, name)) {
        at = (at + 1) & mask;
    }
    return &services->slots[at];
}

static int make_room(struct verify_services *services)
{
    if (services->n < services->n_slots / 2) {
        return 0;
    }
    struct verify_services larger = {.n_slots = services->n_slots * 2, .n = services->n};
    larger.slots = calloc(larger.n_slots, sizeof *larger.slots);
    if (larger.slots == NULL) {
        return STATUS_NO_MEMORY;
    }
    for (size_t i = 0; i < services->n_slots; i++) {
        const struct entry *entry = &services->slots[i];
        if (entry->service.name.data != NULL) {
            *find(&larger, entry->service.name) = *entry;
        }
    }
    free(services->slots);
    *services = larger;
    return 0;
}

/* --- records ---------------------------------------------------------------------------------- */

/* RECORD is the last about the service that it names. */
static struct entry last_word(const struct verify *verify, const struct record *record)
{
    struct entry entry = {.seq = record->seq, .certain = verify->n_holes == 0};
    entry.there = record->kind == RECORD_SERVICE_PUT;
    entry.service = (struct store_service){
        .name = entry.there ? record->service_put.name : record->service_deleted.name,
        .unit = entry.there ? record->service_put.unit : (struct slice){0},
        .created_at_us = record->created_at_us,
        .updated_at_us = record->created_at_us,
    };
    entry.decided = !entry.there;
    return entry;
}

int verify_services_add(struct verify *verify, const struct record *record)
{
    struct verify_services *services = verify->services;
    if (record->kind != RECORD_SERVICE_PUT && record->kind != RECORD_SERVICE_DELETED) {
        return 0;
    }
    int rc = make_room(services);
    if (rc < 0) {
        return rc;
    }
    struct entry word = last_word(verify, record);
    struct entry *entry = find(services, word.service.name);
    if (entry->service.name.data == NULL) {
        *entry = word;
        services->n++;
    } else if (!word.there) {
        entry->decided = true;
    } else if (!entry->decided) {
        entry->service.created_at_us = record->created_at_us;
    }
    return 0;
}

/* --- rows ------------------------------------------------------------------------------------- */

static bool is_same(const struct verify *verify, const struct store_service *row,
                    const struct store_service *expected)
{
    return slice_equal(row->unit, expected->unit) &&
           row->updated_at_us == expected->updated_at_us &&
           (row->created_at_us == expected->created_at_us || verify->n_holes > 0);
}

static int check_entry(struct verify *verify, const struct entry *entry)
{
    struct key key;
    MDB_val value;
    struct store_service row = {0};
    const struct store_service *expected = &entry->service;
    struct slice name = expected->name;
    const struct lmdb_view *view = verify->view;
    int rc = env_get(view->env, view->txn, ENV_SERVICES, key_text(&key, name), &value);
    bool found = rc == 0;
    if (found) {
        rc = service_row_read(name, value.mv_data, value.mv_size, &row);
    }
    if (rc == STATUS_CORRUPT) {
        return verify_found_row(verify, STORE_DAMAGED, ENV_SERVICES, entry->seq,
                                "the row of the service '%.*s' fails its checksum",
                                (int)name.length, name.data);
    }
    if (rc == STATUS_NOT_FOUND && entry->certain) {
        return verify_found_row(verify, STORE_MISSING, ENV_SERVICES, entry->seq,
                                "there is no row of the service '%.*s'", (int)name.length,
                                name.data);
    }
    if (rc < 0 || !entry->certain || is_same(verify, &row, expected)) {
        return rc == STATUS_NOT_FOUND ? 0 : rc;
    }
    return verify_found_row(verify, STORE_WRONG, ENV_SERVICES, entry->seq,
                            "the service '%.*s' is to be in '%.*s' since %lld, put last at %lld, "
                            "and is in '%.*s' since "
                            "%lld, put last at %lld",
                            (int)name.length, name.data, (int)expected->unit.length,
                            expected->unit.length == 0 ? "" : expected->unit.data,
                            (long long)expected->created_at_us, (long long)expected->updated_at_us,
                            (int)row.unit.length, row.unit.length == 0 ? "" : row.unit.data,
                            (long long)row.created_at_us, (long long)row.updated_at_us);
}

int verify_services_end(struct verify *verify)
{
    int rc = 0;
    const struct verify_services *services = verify->services;
    for (size_t i = 0; i < services->n_slots && rc == 0; i++) {
        const struct entry *entry = &services->slots[i];
        if (entry->service.name.data != NULL && entry->there) {
            verify->expected[ENV_SERVICES]++;
            rc = check_entry(verify, entry);
        }
    }
    return rc;
}

bool verify_services_has(const struct verify *verify, struct slice name)
{
    const struct entry *entry = find(verify->services, name);
    return entry->service.name.data != NULL && entry->there;
}
