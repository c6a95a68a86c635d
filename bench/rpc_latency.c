/* How long one record takes, one client and one record at a time, against what the disk alone
 * takes: a bare LMDB commit of a record of the same size.  The two take turns, so that both see
 * the same machine.
 *
 *   bench_rpc_latency SOCKET DIRECTORY [ROUNDS]
 *
 * SOCKET is a running daemon's; DIRECTORY should be on the disk of its data.  Prints the medians,
 * the 99th percentiles, and the ratio of the medians. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <lmdb.h>

#include "billing.pb-c.h"
#include "proto/frame.h"
#include "proto/limits.h"

enum {
    ROUNDS_DEFAULT = 2000,
    RECORD_BYTES = 120,
    MAP_BYTES = 256 * 1024 * 1024,
};

static void check(int failed, const char *what)
{
    if (failed) {
        perror(what);
        exit(1);
    }
}

static int64_t now_ns(void)
{
    struct timespec now;
    check(clock_gettime(CLOCK_MONOTONIC, &now) != 0, "clock_gettime");
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* --- the bare commit -------------------------------------------------------------------------- */

struct bare {
    MDB_env *env;
    MDB_dbi dbi;
    uint64_t next;
};

static void bare_open(struct bare *bare, const char *directory)
{
    MDB_txn *txn;
    check(mdb_env_create(&bare->env) != 0, "mdb_env_create");
    check(mdb_env_set_mapsize(bare->env, MAP_BYTES) != 0, "mdb_env_set_mapsize");
    check(mdb_env_open(bare->env, directory, MDB_NOTLS, 0600) != 0, "mdb_env_open");
    check(mdb_txn_begin(bare->env, NULL, 0, &txn) != 0, "mdb_txn_begin");
    check(mdb_dbi_open(txn, NULL, MDB_CREATE, &bare->dbi) != 0, "mdb_dbi_open");
    check(mdb_txn_commit(txn) != 0, "mdb_txn_commit");
}

static void bare_commit(struct bare *bare)
{
    char record[RECORD_BYTES] = {0};
    uint64_t big_endian = __builtin_bswap64(bare->next++);
    MDB_val key = {sizeof big_endian, &big_endian};
    MDB_val value = {sizeof record, record};
    MDB_txn *txn;
    check(mdb_txn_begin(bare->env, NULL, 0, &txn) != 0, "mdb_txn_begin");
    check(mdb_put(txn, bare->dbi, &key, &value, MDB_APPEND) != 0, "mdb_put");
    check(mdb_txn_commit(txn) != 0, "mdb_txn_commit");
}

/* --- the daemon ------------------------------------------------------------------------------- */

static int daemon_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    check(strlen(path) >= sizeof address.sun_path, "socket path");
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(fd < 0, "socket");
    check(connect(fd, (struct sockaddr *)&address, sizeof address) != 0, "connect");
    return fd;
}

/* Send REQUEST and wait for its answer, to be freed by the caller. */
static Billing__V1__Response *daemon_call(int fd, struct frame_reader *reader,
                                          const Billing__V1__Request *request)
{
    uint8_t frame[1024];
    const uint8_t *payload;
    size_t bytes = billing__v1__request__get_packed_size(request);
    check(bytes + FRAME_HEADER_BYTES > sizeof frame, "request size");
    frame_header_write(frame, (uint32_t)bytes);
    billing__v1__request__pack(request, frame + FRAME_HEADER_BYTES);
    bytes += FRAME_HEADER_BYTES;
    check(write(fd, frame, bytes) != (ssize_t)bytes, "write");
    while (frame_reader_next(reader, &payload, &bytes) != 0) {
        uint8_t *space;
        size_t room;
        check(frame_reader_space(reader, 4096, &space, &room) != 0, "memory");
        ssize_t n = read(fd, space, room);
        check(n <= 0, "read");
        frame_reader_fed(reader, (size_t)n);
    }
    Billing__V1__Response *response = billing__v1__response__unpack(NULL, bytes, payload);
    check(response == NULL, "unpack");
    if (response->result_case == BILLING__V1__RESPONSE__RESULT_PROBLEM) {
        fprintf(stderr, "refused: %.*s\n", (int)response->problem->detail.len,
                (const char *)response->problem->detail.data);
        exit(1);
    }
    return response;
}

static ProtobufCBinaryData bytes_of(char *text)
{
    return (ProtobufCBinaryData){strlen(text), (uint8_t *)text};
}

static void create_customer(int fd, struct frame_reader *reader, char *id, size_t room)
{
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__CreateCustomer create = BILLING__V1__CREATE_CUSTOMER__INIT;
    char name[] = "latency";
    create.has_customer_name = 1;
    create.customer_name = bytes_of(name);
    request.call_case = BILLING__V1__REQUEST__CALL_CREATE_CUSTOMER;
    request.create_customer = &create;
    Billing__V1__Response *response = daemon_call(fd, reader, &request);
    ProtobufCBinaryData got = response->create_customer->customer->id;
    check(got.len >= room, "id");
    memcpy(id, got.data, got.len);
    id[got.len] = '\0';
    billing__v1__response__free_unpacked(response, NULL);
}

static void create_usage(int fd, struct frame_reader *reader, char *customer, uint64_t index)
{
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__UsageInput usage = BILLING__V1__USAGE_INPUT__INIT;
    char service[] = "Database Hosting";
    char units[] = "58";
    char price[] = "0.05";
    char request_id[64];
    snprintf(request_id, sizeof request_id, "latency-%d-%020" PRIu64, (int)getpid(), index);
    usage.has_customer_id = usage.has_service = usage.has_units_consumed = 1;
    usage.has_price_per_unit = usage.has_request_id = 1;
    usage.customer_id = bytes_of(customer);
    usage.service = bytes_of(service);
    usage.units_consumed = bytes_of(units);
    usage.price_per_unit = bytes_of(price);
    usage.request_id = bytes_of(request_id);
    request.call_case = BILLING__V1__REQUEST__CALL_CREATE_USAGE;
    request.create_usage = &usage;
    billing__v1__response__free_unpacked(daemon_call(fd, reader, &request), NULL);
}

/* --- figures ---------------------------------------------------------------------------------- */

static int compare_ns(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The value below which PERCENT of the sorted NS lie. */
static double percentile_ns(const int64_t *ns, size_t rounds, size_t percent)
{
    size_t index = rounds * percent / 100;
    return (double)ns[index];
}

static void report(const char *what, int64_t *ns, size_t rounds)
{
    qsort(ns, rounds, sizeof *ns, compare_ns);
    printf("%-28s p50 %7.1f us   p99 %7.1f us\n", what, percentile_ns(ns, rounds, 50) / 1e3,
           percentile_ns(ns, rounds, 99) / 1e3);
}

int main(int argc, char *argv[])
{
    size_t rounds = argc > 3 ? strtoul(argv[3], NULL, 10) : ROUNDS_DEFAULT;
    if (argc < 3 || rounds < 1) {
        fprintf(stderr, "usage: bench_rpc_latency SOCKET DIRECTORY [ROUNDS]\n");
        return 2;
    }
    struct bare bare = {0};
    struct frame_reader reader;
    char customer[64];
    int64_t *bare_ns = calloc(rounds, sizeof *bare_ns);
    int64_t *rpc_ns = calloc(rounds, sizeof *rpc_ns);
    check(bare_ns == NULL || rpc_ns == NULL, "memory");
    bare_open(&bare, argv[2]);
    int fd = daemon_connect(argv[1]);
    frame_reader_init(&reader, LIMIT_FRAME_BYTES_DEFAULT);
    create_customer(fd, &reader, customer, sizeof customer);
    for (size_t i = 0; i < rounds; i++) {
        int64_t start = now_ns();
        bare_commit(&bare);
        int64_t middle = now_ns();
        create_usage(fd, &reader, customer, i);
        rpc_ns[i] = now_ns() - middle;
        bare_ns[i] = middle - start;
    }
    report("bare LMDB commit", bare_ns, rounds);
    report("one record through the socket", rpc_ns, rounds);
    printf("ratio of the medians: %.2f\n",
           percentile_ns(rpc_ns, rounds, 50) / percentile_ns(bare_ns, rounds, 50));
    mdb_env_close(bare.env);
    frame_reader_done(&reader);
    close(fd);
    free(bare_ns);
    free(rpc_ns);
    return 0;
}
