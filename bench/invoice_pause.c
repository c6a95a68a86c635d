/* How long recording pauses while a large invoice is finalised: the longest time between two
 * acknowledgements that a client sees who records at full speed, without and with it.
 *
 *   bench_invoice_pause SOCKET [RECORDS]
 *
 * SOCKET is a running daemon's.  One customer gets RECORDS (1,000,000) usage records; then another
 * connection records for another customer, with some hundred requests under way at any time, for a
 * few seconds without and until the invoice of the first is finalised.  What is recorded stays. */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench/clock.h"
#include "bench/fail.h"
#include "billing.pb-c.h"
#include "proto/frame.h"
#include "proto/limits.h"

enum {
    RECORDS_DEFAULT = 1000000,
    BATCH = 5000,
    WINDOW = 256, /* requests under way */
    QUIET_S = 3,
    FRAME_BYTES = 1024 * 1024,
    USAGE_AT_US = 1000, /* in January 1970, and so over */
};

static double now_ms(void)
{
    return (double)clock_ns() / 1e6;
}

/* --- a connection ----------------------------------------------------------------------------- */

struct connection {
    int fd;
    struct frame_reader reader;
    uint8_t *frame; /* room to write one */
    char customer[64];
};

static void send_request(struct connection *connection, const Billing__V1__Request *request)
{
    size_t bytes = billing__v1__request__get_packed_size(request);
    size_t sent = 0;
    if (bytes + FRAME_HEADER_BYTES > FRAME_BYTES) {
        fail("a request of %zu bytes", bytes);
    }
    frame_header_write(connection->frame, (uint32_t)bytes);
    billing__v1__request__pack(request, connection->frame + FRAME_HEADER_BYTES);
    bytes += FRAME_HEADER_BYTES;
    while (sent < bytes) {
        ssize_t n = write(connection->fd, connection->frame + sent, bytes - sent);
        check(n > 0, "write");
        sent += (size_t)n;
    }
}

/* The next answer, to be freed by the caller. */
static Billing__V1__Response *receive(struct connection *connection)
{
    const uint8_t *payload;
    size_t bytes;
    while (frame_reader_next(&connection->reader, &payload, &bytes) != 0) {
        uint8_t *space;
        size_t room;
        check(frame_reader_space(&connection->reader, 4096, &space, &room) == 0, "memory");
        ssize_t n = read(connection->fd, space, room);
        check(n >= 0, "read");
        if (n == 0) {
            fail("the daemon has closed the connection");
        }
        frame_reader_fed(&connection->reader, (size_t)n);
    }
    Billing__V1__Response *response = billing__v1__response__unpack(NULL, bytes, payload);
    if (response == NULL) {
        fail("an answer that cannot be read");
    }
    if (response->result_case == BILLING__V1__RESPONSE__RESULT_PROBLEM) {
        fail("refused: %.*s", (int)response->problem->detail.len,
             (const char *)response->problem->detail.data);
    }
    return response;
}

static Billing__V1__Response *call(struct connection *connection,
                                   const Billing__V1__Request *request)
{
    send_request(connection, request);
    return receive(connection);
}

static ProtobufCBinaryData bytes_of(char *text)
{
    return (ProtobufCBinaryData){strlen(text), (uint8_t *)text};
}

/* Connect to the socket at PATH, with a new customer. */
static void open_connection(struct connection *connection, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__CreateCustomer create = BILLING__V1__CREATE_CUSTOMER__INIT;
    char name[] = "pause";
    if (strlen(path) >= sizeof address.sun_path) {
        fail("the name of the socket is longer than %zu bytes", sizeof address.sun_path - 1);
    }
    memcpy(address.sun_path, path, strlen(path));
    connection->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(connection->fd >= 0, "socket");
    check(connect(connection->fd, (struct sockaddr *)&address, sizeof address) == 0, path);
    frame_reader_init(&connection->reader, LIMIT_FRAME_BYTES_DEFAULT);
    connection->frame = malloc(FRAME_BYTES);
    check(connection->frame != NULL, "memory");
    create.has_customer_name = 1;
    create.customer_name = bytes_of(name);
    request.call_case = BILLING__V1__REQUEST__CALL_CREATE_CUSTOMER;
    request.create_customer = &create;
    Billing__V1__Response *response = call(connection, &request);
    ProtobufCBinaryData id = response->create_customer->customer->id;
    if (id.len >= sizeof connection->customer) {
        fail("a customer's id of %zu bytes", id.len);
    }
    memcpy(connection->customer, id.data, id.len);
    connection->customer[id.len] = '\0';
    billing__v1__response__free_unpacked(response, NULL);
}

static void close_connection(struct connection *connection)
{
    close(connection->fd);
    frame_reader_done(&connection->reader);
    free(connection->frame);
}

static void fill_usage(Billing__V1__UsageInput *usage, struct connection *connection)
{
    static char service[] = "Database Hosting";
    static char units[] = "58";
    static char price[] = "0.05";
    billing__v1__usage_input__init(usage);
    usage->has_customer_id = usage->has_service = usage->has_units_consumed = 1;
    usage->has_price_per_unit = usage->has_occurred_at = 1;
    usage->customer_id = bytes_of(connection->customer);
    usage->service = bytes_of(service);
    usage->units_consumed = bytes_of(units);
    usage->price_per_unit = bytes_of(price);
    usage->occurred_at = USAGE_AT_US;
}

/* --- the large customer ----------------------------------------------------------------------- */

static void record_batch(struct connection *connection, uint64_t index)
{
    static Billing__V1__UsageInput items[BATCH];
    static Billing__V1__UsageInput *all[BATCH];
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__CreateUsageBatch batch = BILLING__V1__CREATE_USAGE_BATCH__INIT;
    char request_id[64];
    snprintf(request_id, sizeof request_id, "pause-%d-%" PRIu64, (int)getpid(), index);
    for (size_t i = 0; i < BATCH; i++) {
        all[i] = &items[i];
        fill_usage(all[i], connection);
    }
    batch.usage = all;
    batch.n_usage = BATCH;
    batch.has_request_id = 1;
    batch.request_id = bytes_of(request_id);
    request.call_case = BILLING__V1__REQUEST__CALL_CREATE_USAGE_BATCH;
    request.create_usage_batch = &batch;
    billing__v1__response__free_unpacked(call(connection, &request), NULL);
}

/* Returns how many milliseconds it took. */
static double finalize(struct connection *connection)
{
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__FinalizeInvoice m = BILLING__V1__FINALIZE_INVOICE__INIT;
    m.has_customer_id = m.has_end = 1;
    m.customer_id = bytes_of(connection->customer);
    m.end = USAGE_AT_US + 1;
    request.call_case = BILLING__V1__REQUEST__CALL_FINALIZE_INVOICE;
    request.finalize_invoice = &m;
    double before = now_ms();
    Billing__V1__Response *response = call(connection, &request);
    double took = now_ms() - before;
    printf("finalised %" PRIu64 " records in %.0f ms\n",
           response->finalize_invoice->invoice->lines[0]->records, took);
    billing__v1__response__free_unpacked(response, NULL);
    return took;
}

/* --- the busy one ----------------------------------------------------------------------------- */

struct recorder {
    const char *socket;
    atomic_bool stop;
    atomic_uint phase; /* into which is counted */
    uint64_t records[2];
    double longest_ms[2];
};

static void send_one(struct connection *connection)
{
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__UsageInput usage;
    fill_usage(&usage, connection);
    request.call_case = BILLING__V1__REQUEST__CALL_CREATE_USAGE;
    request.create_usage = &usage;
    send_request(connection, &request);
}

static void *record_main(void *arg)
{
    struct recorder *recorder = arg;
    struct connection connection;
    open_connection(&connection, recorder->socket);
    for (int i = 0; i < WINDOW; i++) {
        send_one(&connection);
    }
    double last = now_ms();
    while (!atomic_load(&recorder->stop)) {
        billing__v1__response__free_unpacked(receive(&connection), NULL);
        unsigned phase = atomic_load(&recorder->phase);
        double now = now_ms();
        recorder->records[phase]++;
        if (now - last > recorder->longest_ms[phase]) {
            recorder->longest_ms[phase] = now - last;
        }
        last = now;
        send_one(&connection);
    }
    close_connection(&connection);
    return NULL;
}

static void report(const struct recorder *recorder, int phase, const char *what, double ms)
{
    printf("%-22s %8.0f records/s, longest pause %6.1f ms\n", what,
           (double)recorder->records[phase] / ms * 1e3, recorder->longest_ms[phase]);
}

int main(int argc, char *argv[])
{
    uint64_t records = argc > 2 ? strtoull(argv[2], NULL, 10) : RECORDS_DEFAULT;
    struct connection connection;
    pthread_t thread;
    if (argc < 2 || records < BATCH) {
        fprintf(stderr, "usage: bench_invoice_pause SOCKET [RECORDS]\n");
        return 2;
    }
    struct recorder recorder = {.socket = argv[1]};
    open_connection(&connection, argv[1]);
    for (uint64_t i = 0; i < records / BATCH; i++) {
        record_batch(&connection, i);
    }
    check(pthread_create(&thread, NULL, record_main, &recorder) == 0, "pthread_create");
    sleep(QUIET_S);
    atomic_store(&recorder.phase, 1);
    double took = finalize(&connection);
    atomic_store(&recorder.stop, true);
    check(pthread_join(thread, NULL) == 0, "pthread_join");
    report(&recorder, 0, "without an invoice", QUIET_S * 1e3);
    report(&recorder, 1, "while it is finalised", took);
    close_connection(&connection);
    return 0;
}
