#include "tests/integration/other_users.h"

#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/testkit.h"

bool other_users_are_here(uid_t uid)
{
    const gid_t group = 70;
    bool may = geteuid() == 0 && setgroups(1, &group) == 0 && setgroups(0, NULL) == 0 &&
               setegid(uid) == 0 && seteuid(uid) == 0;
    if (geteuid() == uid) {
        assert_int_equal(seteuid(0), 0);
    }
    if (getegid() == uid) {
        assert_int_equal(setegid(0), 0);
    }
    return may;
}

const char *other_users_make_door(void)
{
    char directory[] = "/tmp/billingd-doors-XXXXXX";
    assert_non_null(mkdtemp(directory));
    assert_int_equal(chmod(directory, 0755), 0);
    return testkit_format("unix:%s/sock", directory);
}

void other_users_remove_door(const char *address)
{
    const char *path = address + strlen("unix:");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(testkit_format("%.*s", (int)(strrchr(path, '/') - path), path)), 0);
}

void other_users_open(struct raw_client *client, const char *address, uid_t uid, gid_t gid)
{
    gid_t groups[1] = {gid};
    assert_int_equal(setgroups(gid != 0, groups), 0);
    assert_int_equal(setegid(uid), 0);
    assert_int_equal(seteuid(uid), 0);
    bool opened = raw_client_open(client, address);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(setegid(0), 0);
    assert_int_equal(setgroups(0, groups), 0);
    assert_true(opened);
}
