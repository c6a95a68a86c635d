/* Roles on the Unix socket: which rule counts, and that names are those of the system. */
#include <sys/socket.h>
#include <unistd.h>

#include "billingd/net/peer.h"
#include "tests/lib/testkit.h"

static void add(struct peer_rules *rules, const char *entry, enum role role)
{
    char reason[PEER_REASON_BYTES];
    if (peer_rules_add(rules, entry, role, reason) < 0) {
        testkit_fail("%s: %s", entry, reason);
    }
}

static void role__table(void **state)
{
    struct peer_rules rules = {.fallback = ROLE_NONE};
    (void)state;
    add(&rules, "user:1001", ROLE_READER);
    add(&rules, "user:1002", ROLE_READER);
    add(&rules, "user:1002", ROLE_WRITER);
    add(&rules, "group:50", ROLE_ADMIN);
    add(&rules, "group:60", ROLE_WRITER);
    add(&rules, "group:70", ROLE_READER);
    static const struct {
        uid_t uid;
        gid_t gids[3];
        enum role role;
    } cases[] = {
        {0, {1, 1, 1}, ROLE_ADMIN},
        {1000, {1, 2, 3}, ROLE_NONE},
        {1001, {1, 2, 3}, ROLE_READER},
        {1001, {50, 60, 70}, ROLE_READER}, /* a user's entry beats a group's */
        {1002, {1, 2, 3}, ROLE_WRITER},    /* of two the highest */
        {1000, {70, 2, 3}, ROLE_READER},
        {1000, {70, 60, 3}, ROLE_WRITER},
        {1000, {60, 70, 50}, ROLE_ADMIN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(peer_rules_role(&rules, cases[i].uid, cases[i].gids, 3), cases[i].role);
    }
    assert_int_equal(peer_rules_role(&rules, geteuid(), cases[0].gids, 3), ROLE_ADMIN);
}

static void add__names__are_the_systems(void **state)
{
    struct peer_rules rules = {.fallback = ROLE_NONE};
    gid_t gid = 1;
    (void)state;
    add(&rules, "user:daemon", ROLE_WRITER); /* 1 on Debian, like its group */
    add(&rules, "group:root", ROLE_READER);
    assert_int_equal(peer_rules_role(&rules, 1, &gid, 1), ROLE_WRITER);
    gid = 0;
    assert_int_equal(peer_rules_role(&rules, 4711, &gid, 1), ROLE_READER);
}

static void add__what_names_nobody__says_so(void **state)
{
    (void)state;
    static const struct {
        const char *entry;
        const char *reason;
    } cases[] = {
        {"user:no-such-user-here", "there is no such user"},
        {"group:no-such-group-here", "there is no such group"},
        {"user:", "there is no name behind 'user:'"},
        {"root", "it is to be user:NAME, user:UID, group:NAME or group:GID"},
        {"User:root", "it is to be user:NAME, user:UID, group:NAME or group:GID"},
        {"user:4294967295", "an id is a number from 0 to 4294967294"},
        {"group:9999999999", "an id is a number from 0 to 4294967294"},
        {"user:99999999999", "there is no such user"},
    };
    struct peer_rules rules = {0};
    char reason[PEER_REASON_BYTES];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_status(peer_rules_add(&rules, cases[i].entry, ROLE_ADMIN, reason),
                      STATUS_OUT_OF_BOUNDS);
        assert_string_equal(reason, cases[i].reason);
    }
    assert_u64(rules.n, 0);
    for (unsigned i = 0; i < PEER_RULES_MAX; i++) {
        add(&rules, "user:5", ROLE_READER);
    }
    assert_status(peer_rules_add(&rules, "user:5", ROLE_READER, reason), STATUS_OUT_OF_BOUNDS);
    assert_string_equal(reason, "it is one too many: at most 192");
}

static void identify__a_socket__is_ours_and_what_is_none_is_nobody(void **state)
{
    int fds[2];
    int ends[2];
    char name[PEER_NAME_BYTES];
    struct identity who;
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    peer_identify(fds[0], NULL, name, &who);
    assert_true(slice_equal(who.name, slice_of(testkit_format("uid:%u", geteuid()))));
    assert_int_equal(who.role, ROLE_ADMIN);
    assert_int_equal(pipe(ends), 0);
    peer_identify(ends[0], NULL, name, &who);
    assert_int_equal(who.role, ROLE_NONE);
    for (int i = 0; i < 2; i++) {
        close(fds[i]);
        close(ends[i]);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(role__table),
    cmocka_unit_test(add__names__are_the_systems),
    cmocka_unit_test(add__what_names_nobody__says_so),
    cmocka_unit_test(identify__a_socket__is_ours_and_what_is_none_is_nobody),
};

TESTKIT_MAIN(tests)
