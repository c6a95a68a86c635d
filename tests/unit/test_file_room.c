/* Room behind the pages in use: there for small commits, none for large ones, and no harm where the
 * file cannot grow. */
#include <signal.h>
#include <sys/resource.h>

#include "billingd/store/lmdb/file_room.h"
#include "tests/unit/lmdb_env.h"

static uint64_t used_bytes(const struct env *env)
{
    MDB_envinfo info;
    MDB_stat stat;
    assert_int_equal(mdb_env_info(env->mdb, &info), 0);
    assert_int_equal(mdb_env_stat(env->mdb, &stat), 0);
    return (info.me_last_pgno + 1) * stat.ms_psize;
}

/* A commit that adds BYTES, to whatever table. */
static void commit(const struct env *env, uint64_t seq, size_t bytes)
{
    uint8_t *room;
    uint8_t key[8];
    for (int i = 0; i < 8; i++) {
        key[i] = (uint8_t)(seq >> (56 - 8 * i));
    }
    MDB_txn *txn = lmdb_env_begin(env, true);
    MDB_val name = {sizeof key, key};
    assert_ok(env_append(env, txn, ENV_MANIFEST, name, bytes, &room));
    memset(room, 0xA5, bytes);
    assert_ok(env_commit(env, txn));
}

static void keep__small_commits__do_not_grow_the_file(void **state)
{
    struct env *env = lmdb_env_new();
    struct file_room room;
    unsigned grown = 0;
    (void)state;
    file_room_init(&room, env);
    for (uint64_t seq = 1; seq <= 500; seq++) {
        file_room_keep(&room, env);
        uint64_t before = env_bytes(env);
        assert_true(before > used_bytes(env) + 32 * 1024 - 1);
        commit(env, seq, 3000);
        grown += env_bytes(env) != before;
        assert_true(env_bytes(env) - used_bytes(env) < 300 * 1024); /* and no more than is needed */
    }
    assert_u64(grown, 0);
    env_close(env);
}

static void keep__large_commits__are_left_alone(void **state)
{
    struct env *env = lmdb_env_new();
    struct file_room room;
    (void)state;
    file_room_init(&room, env);
    for (uint64_t seq = 1; seq <= 20; seq++) {
        commit(env, seq, 200 * 1024);
        uint64_t before = env_bytes(env);
        file_room_keep(&room, env);
        assert_u64(env_bytes(env), before);
    }
    file_room_keep(&room, env); /* nothing was written since: it may be small ones that come */
    assert_true(env_bytes(env) >= used_bytes(env) + 32 * 1024);
    env_close(env);
}

static void set_file_limit(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void keep__file_cannot_grow__takes_what_there_is_and_goes_on(void **state)
{
    struct env *env = lmdb_env_new();
    struct file_room room;
    (void)state;
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    file_room_init(&room, env);
    uint64_t before = env_bytes(env);
    set_file_limit(before + 40000);
    file_room_keep(&room, env);
    assert_u64(env_bytes(env), before + 40000);
    file_room_keep(&room, env);
    assert_u64(env_bytes(env), before + 40000);
    commit(env, 1, 100);
    set_file_limit(RLIM_INFINITY);
    file_room_keep(&room, env);
    commit(env, 2, 100);
    assert_true(env_bytes(env) >= used_bytes(env) + 32 * 1024 - 8 * 4096);
    env_close(env);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(keep__small_commits__do_not_grow_the_file),
    cmocka_unit_test(keep__large_commits__are_left_alone),
    cmocka_unit_test(keep__file_cannot_grow__takes_what_there_is_and_goes_on),
};

TESTKIT_MAIN(tests)
