#include "billingd/store/lmdb/slice.h"

int slice_write_now(const struct env *env, struct turn *turn, ride_fn *write, void *arg)
{
    MDB_txn *txn;
    turn_take(turn, TURN_SEALER);
    int rc = env_status(mdb_txn_begin(env->mdb, NULL, 0, &txn));
    if (rc == 0) {
        rc = write(arg, txn);
        if (rc == 0) {
            rc = env_commit(env, txn);
            if (rc == STATUS_STORAGE_FAILED) {
                turn_spoil(turn);
            }
        } else {
            mdb_txn_abort(txn);
        }
    }
    turn_give(turn);
    return rc;
}

int slice_write(const struct env *env, struct turn *turn, ride_fn *write, void *arg)
{
    struct ride ride = {.write = write, .arg = arg};
    if (turn_offer(turn, &ride) && (ride.status == 0 || ride.status == STATUS_STORAGE_FAILED)) {
        return ride.status;
    }
    return slice_write_now(env, turn, write, arg);
}
