#include "billingd/store/record_key.h"

/* --- services --------------------------------------------------------------------------------- */

size_t services_encode(const struct slice *names, size_t n, uint8_t *buffer)
{
    struct writer w = {.at = buffer};
    REQUIRE(n >= 1 && n <= LIMIT_KEY_SERVICES);
    for (size_t i = 0; i < n; i++) {
        REQUIRE(names[i].length > 0);
        REQUIRE(i == 0 || slice_compare(names[i - 1], names[i]) < 0);
        put_text(&w, names[i], LIMIT_SERVICE_BYTES);
    }
    return (size_t)(w.at - buffer);
}

bool services_next(struct slice *rest, struct slice *ret)
{
    if (rest->length == 0) {
        return false;
    }
    struct reader r = reader_of(*rest);
    *ret = get_text(&r, LIMIT_SERVICE_BYTES);
    INVARIANT(!r.failed); /* they were checked when they were decoded */
    *rest = rest_of(&r);
    return true;
}

bool services_allow(struct slice services, struct slice name)
{
    struct slice rest = services;
    struct slice allowed;
    while (services_next(&rest, &allowed)) {
        if (slice_equal(allowed, name)) {
            return true;
        }
    }
    return services.length == 0;
}

/* Whether services_encode() makes ENCODED, or it is empty. */
static bool services_are_valid(struct slice encoded)
{
    struct reader r = reader_of(encoded);
    struct slice before = {0};
    for (unsigned n = 0; r.at < r.end; n++) {
        struct slice name = get_text(&r, LIMIT_SERVICE_BYTES);
        if (r.failed || n == LIMIT_KEY_SERVICES || slice_compare(before, name) >= 0) {
            return false;
        }
        before = name;
    }
    return true;
}

/* --- uses ------------------------------------------------------------------------------------- */

size_t key_uses_encode(const struct key_use *uses, size_t n, uint8_t *buffer)
{
    struct writer w = {.at = buffer};
    REQUIRE(n >= 1 && n <= KEY_USES_MAX);
    for (size_t i = 0; i < n; i++) {
        REQUIRE(i == 0 || uses[i - 1].key < uses[i].key);
        put_seq(&w, uses[i].key);
        put_time(&w, uses[i].used_at_us);
    }
    return (size_t)(w.at - buffer);
}

static struct key_use get_use(struct reader *r)
{
    struct key_use use = {.key = get_seq(r)};
    use.used_at_us = get_time(r);
    return use;
}

bool key_uses_next(struct slice *rest, struct key_use *ret)
{
    if (rest->length == 0) {
        return false;
    }
    struct reader r = reader_of(*rest);
    *ret = get_use(&r);
    INVARIANT(!r.failed); /* they were checked when they were decoded */
    *rest = rest_of(&r);
    return true;
}

/* Whether key_uses_encode() makes ENCODED. */
static bool uses_are_valid(struct slice encoded)
{
    struct reader r = reader_of(encoded);
    uint64_t before = 0;
    for (unsigned n = 0; r.at < r.end; n++) {
        struct key_use use = get_use(&r);
        if (r.failed || n == KEY_USES_MAX || use.key <= before) {
            return false;
        }
        before = use.key;
    }
    return encoded.length > 0;
}

/* --- records ---------------------------------------------------------------------------------- */

/* Whether one with ROLE may have SERVICES. */
static bool is_grant(unsigned role, struct slice services)
{
    return role >= KEY_READER && role <= KEY_ADMIN && services_are_valid(services) &&
           (role == KEY_WRITER || services.length == 0);
}

static void put_key_name(struct writer *w, struct slice name)
{
    REQUIRE(name.length > 0);
    put_text(w, name, LIMIT_KEY_NAME_BYTES);
}

static struct slice get_key_name(struct reader *r)
{
    struct slice name = get_text(r, LIMIT_KEY_NAME_BYTES);
    r->failed |= name.length == 0;
    return name;
}

void put_key_created(struct writer *w, const struct key_created *created)
{
    REQUIRE(is_grant(created->role, created->services));
    put_key_name(w, created->name);
    put_byte(w, created->role);
    put_text(w, created->services, SERVICES_BYTES_MAX);
    put_time(w, created->expires_at_us);
    memcpy(w->at, created->hash, sizeof created->hash);
    w->at += sizeof created->hash;
}

void get_key_created(struct reader *r, struct key_created *ret)
{
    ret->name = get_key_name(r);
    unsigned role = get_byte(r);
    ret->services = get_text(r, SERVICES_BYTES_MAX);
    ret->expires_at_us = get_time(r);
    const uint8_t *hash = take(r, sizeof ret->hash);
    if (hash != NULL) {
        memcpy(ret->hash, hash, sizeof ret->hash);
    }
    ret->role = (enum key_role)role;
    r->failed |= !is_grant(role, ret->services);
}

void put_key_revoked(struct writer *w, const struct key_revoked *revoked)
{
    put_seq(w, revoked->key);
    put_key_name(w, revoked->name);
}

void get_key_revoked(struct reader *r, struct key_revoked *ret)
{
    ret->key = get_seq(r);
    ret->name = get_key_name(r);
}

void put_key_used(struct writer *w, const struct key_used *used)
{
    REQUIRE(uses_are_valid(used->uses));
    put_text(w, used->uses, KEY_USES_BYTES_MAX);
}

void get_key_used(struct reader *r, struct key_used *ret)
{
    ret->uses = get_text(r, KEY_USES_BYTES_MAX);
    r->failed |= !uses_are_valid(ret->uses);
}
