#include "billingd/net/peer.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "billingd/base/assert.h"

enum {
    GROUPS_MAX = 65536,        /* NGROUPS_MAX of Linux */
    GROUPS_USUAL = 64,         /* that are asked for first */
    ENTRY_BYTES = 1024 * 1024, /* of the user database: a group may have many members */
};

/* --- rules ------------------------------------------------------------------------------------ */

__attribute__((format(printf, 2, 3))) static int refuse(char *reason, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    IGNORE(vsnprintf(reason, PEER_REASON_BYTES, format, arguments) < 0); /* may be cut */
    va_end(arguments);
    return STATUS_OUT_OF_BOUNDS;
}

static bool is_number(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits >= 1 && digits <= 10 && text[digits] == '\0';
}

static int find_user(const char *name, id_t *ret_id, char *reason)
{
    struct passwd entry;
    struct passwd *found = NULL;
    char *buffer = malloc(ENTRY_BYTES);
    INVARIANT(buffer != NULL);
    int error = getpwnam_r(name, &entry, buffer, ENTRY_BYTES, &found);
    if (found != NULL) {
        *ret_id = entry.pw_uid;
    }
    free(buffer);
    if (found != NULL) {
        return 0;
    }
    return error == 0 ? refuse(reason, "there is no such user")
                      : refuse(reason, "the user cannot be looked up: %s", strerror(error));
}

static int find_group(const char *name, id_t *ret_id, char *reason)
{
    struct group entry;
    struct group *found = NULL;
    char *buffer = malloc(ENTRY_BYTES);
    INVARIANT(buffer != NULL);
    int error = getgrnam_r(name, &entry, buffer, ENTRY_BYTES, &found);
    if (found != NULL) {
        *ret_id = entry.gr_gid;
    }
    free(buffer);
    if (found != NULL) {
        return 0;
    }
    return error == 0 ? refuse(reason, "there is no such group")
                      : refuse(reason, "the group cannot be looked up: %s", strerror(error));
}

/* The largest id, -1, stands for none. */
static int parse_id(const char *number, id_t *ret_id, char *reason)
{
    unsigned long long id = strtoull(number, NULL, 10);
    if (id >= UINT32_MAX) {
        return refuse(reason, "an id is a number from 0 to 4294967294");
    }
    *ret_id = (id_t)id;
    return 0;
}

int peer_rules_add(struct peer_rules *rules, const char *entry, enum role role, char *reason)
{
    bool is_group = strncmp(entry, "group:", 6) == 0;
    id_t id = 0;
    if (!is_group && strncmp(entry, "user:", 5) != 0) {
        return refuse(reason, "it is to be user:NAME, user:UID, group:NAME or group:GID");
    }
    const char *name = strchr(entry, ':') + 1;
    if (name[0] == '\0') {
        return refuse(reason, "there is no name behind '%.*s'", (int)(name - entry), entry);
    }
    if (rules->n == PEER_RULES_MAX) {
        return refuse(reason, "it is one too many: at most %d", PEER_RULES_MAX);
    }
    int rc = is_number(name) ? parse_id(name, &id, reason)
             : is_group      ? find_group(name, &id, reason)
                             : find_user(name, &id, reason);
    if (rc == 0) {
        rules->rules[rules->n++] = (struct peer_rule){is_group, id, role};
    }
    return rc;
}

static bool is_among(id_t gid, const gid_t *gids, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (gids[i] == gid) {
            return true;
        }
    }
    return false;
}

enum role peer_rules_role(const struct peer_rules *rules, uid_t uid, const gid_t *gids, size_t n)
{
    int of_user = -1; /* no rule */
    int of_groups = -1;
    if (uid == 0 || uid == geteuid()) {
        return ROLE_ADMIN;
    }
    for (unsigned i = 0; i < rules->n; i++) {
        const struct peer_rule *rule = &rules->rules[i];
        int *of = rule->is_group ? &of_groups : &of_user;
        if ((rule->is_group ? is_among(rule->id, gids, n) : rule->id == uid) &&
            (int)rule->role > *of) {
            *of = (int)rule->role;
        }
    }
    return of_user >= 0     ? (enum role)of_user
           : of_groups >= 0 ? (enum role)of_groups
                            : rules->fallback;
}

/* --- the kernel's word ------------------------------------------------------------------------ */

/* The supplementary groups of the peer of FD, in memory to be freed; NULL where there are none. */
static gid_t *read_groups(int fd, size_t *ret_n)
{
    socklen_t bytes = GROUPS_USUAL * sizeof(gid_t);
    gid_t *gids = malloc(bytes);
    *ret_n = 0;
    INVARIANT(gids != NULL);
    int rc = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, gids, &bytes);
    if (rc < 0 && errno == ERANGE && bytes <= GROUPS_MAX * sizeof(gid_t)) { /* now it is known */
        free(gids);
        gids = malloc(bytes);
        INVARIANT(gids != NULL);
        rc = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, gids, &bytes);
    }
    if (rc == 0) {
        *ret_n = bytes / sizeof(gid_t);
    }
    return gids;
}

static enum role role_of(int fd, const struct peer_rules *rules, const struct ucred *peer)
{
    size_t n;
    gid_t *gids = read_groups(fd, &n);
    gids = realloc(gids, (n + 1) * sizeof *gids);
    INVARIANT(gids != NULL);
    gids[n] = peer->gid; /* its own group is none of the supplementary ones, or may not be */
    enum role role = peer_rules_role(rules, peer->uid, gids, n + 1);
    free(gids);
    return role;
}

void peer_identify(int fd, const struct peer_rules *rules, char *name, struct identity *ret)
{
    static const struct peer_rules none = {.fallback = ROLE_WRITER};
    struct ucred peer;
    socklen_t bytes = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) < 0 || peer.uid == (uid_t)-1) {
        *ret = (struct identity){.name = SLICE("unknown"), .role = ROLE_NONE};
        return;
    }
    IGNORE(snprintf(name, PEER_NAME_BYTES, "uid:%u", peer.uid) < 0); /* fits */
    *ret = (struct identity){
        .name = slice_of(name),
        .role = role_of(fd, rules != NULL ? rules : &none, &peer),
    };
}
