/* Broken and hostile daemons: nothing that one sends may crash the client library, hang it, or be
 * taken for an answer. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <billing/billing.h>

#include "billing.pb-c.h"
#include "libbilling/src/reply.h"
#include "tests/lib/testkit.h"
#include "tests/unit/fake_answers.h"
#include "tests/unit/fake_daemon.h"

enum {
    PATIENCE_MS = 60000,
    TRIES = 100, /* to be quick enough */
};

static billing_client *client_of(const char *url, billing_options *options)
{
    billing_client *client;
    assert_i64(billing_options_set_url(options, url), 0);
    assert_i64(billing_options_set_retry_delay_ms(options, 0), 0);
    assert_i64(billing_client_new(options, &client), 0);
    billing_options_free(options);
    return client;
}

/* --- frames ----------------------------------------------------------------------------------- */

/* Make a call to a daemon that does STEP once and then answers properly. */
static void assert_recovers(struct fake_step step)
{
    billing_object *reply;
    struct fake_daemon *fake = fake_start(&step, 1);
    billing_client *client = client_of(fake_url(fake), billing_options_new());
    assert_i64(billing_customer_get(client, "cus_1", &reply, NULL), 0);
    assert_string_equal(billing_object_text(reply, "customer.id"), "cus_1");
    assert_u64(fake_requests(fake), 2);
    assert_int_equal(fake_connections(fake), 2); /* the first is not trusted again */
    billing_object_free(reply);
    billing_client_free(client);
    fake_stop(fake);
}

#define PAYLOAD(text)                                                                              \
    {                                                                                              \
        .act = FAKE_PAYLOAD, .bytes = (text), .length = sizeof(text) - 1                           \
    }
#define BYTES(text)                                                                                \
    {                                                                                              \
        .act = FAKE_BYTES, .bytes = (text), .length = sizeof(text) - 1                             \
    }

static void answer__not_a_response__thrown_away_with_its_connection(void **state)
{
    static const struct fake_step steps[] = {
        PAYLOAD("garbage, not a message"),
        PAYLOAD(""),         /* nothing is set */
        PAYLOAD("\x08\x01"), /* a call id alone */
        PAYLOAD("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
        PAYLOAD("\x5a\xff\xff\xff\xff\x0f"), /* a member of 4 GiB */
        PAYLOAD("\x5a\x04\x0a\x80\x80\x80"), /* cut short inside */
        PAYLOAD("\xfa\x3f\x00"),             /* a member that nobody knows */
        BYTES("\xff\xff\xff\xff"),           /* a frame of 4 GiB */
        BYTES("\x01\x00\x00\x01"),           /* one of 16 MiB and a byte */
        BYTES("HTTP/1.1 400 Bad Request\r\n\r\n"),
    };
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        assert_recovers(steps[i]);
    }
}

static void answer__to_a_write_for_ever_bad__outcome_unknown(void **state)
{
    static const struct fake_step bad = PAYLOAD("garbage");
    const struct fake_step script[] = {bad, bad, bad, bad};
    billing_error *error;
    (void)state;
    struct fake_daemon *fake = fake_start(script, 4);
    billing_client *client = client_of(fake_url(fake), billing_options_new());
    assert_i64(billing_usage_record(client, "c", "s", "1", "1", &error), BILLING_E_UNKNOWN);
    assert_string_equal(billing_error_code(error), "bad_reply");
    billing_error_free(error);
    billing_client_free(client);
    fake_stop(fake);
}

static void answer__byte_at_a_time__understood(void **state)
{
    static const struct fake_step script[] = {{.act = FAKE_DRIBBLE}, {.act = FAKE_DRIBBLE}};
    billing_object *reply;
    (void)state;
    struct fake_daemon *fake = fake_start(script, 2);
    billing_client *client = client_of(fake_url(fake), billing_options_new());
    for (int i = 0; i < 2; i++) {
        assert_i64(billing_usage_get(client, "c", "u", &reply, NULL), 0);
        assert_string_equal(billing_object_text(reply, "usage.amount"), "2.9");
        billing_object_free(reply);
    }
    assert_int_equal(fake_connections(fake), 1);
    billing_client_free(client);
    fake_stop(fake);
}

static void answer__half_a_header_and_then_nothing__deadline(void **state)
{
    static const struct fake_step script[] = {BYTES("\x00\x00")};
    billing_error *error;
    billing_options *options = billing_options_new();
    (void)state;
    struct fake_daemon *fake = fake_start(script, 1);
    assert_i64(billing_options_set_timeout_ms(options, 500), 0);
    billing_client *client = client_of(fake_url(fake), options);
    int64_t start_ms = testkit_now_ms();
    assert_i64(billing_customer_get(client, "c", NULL, &error), BILLING_E_NOT_RECORDED);
    assert_true(testkit_now_ms() - start_ms < PATIENCE_MS);
    assert_string_equal(billing_error_code(error), "timeout");
    billing_error_free(error);
    billing_client_free(client);
    fake_stop(fake);
}

static void answer__and_more_behind_it__taken_but_the_connection_is_not(void **state)
{
    static const struct fake_step script[] = {{.act = FAKE_ANSWER}};
    (void)state;
    struct fake_daemon *fake = fake_start(script, 1);
    billing_client *client = client_of(fake_url(fake), billing_options_new());
    assert_i64(billing_server_info(client, NULL, NULL), 0);
    struct fake_seen seen = fake_request(fake, 0);
    /* \x08 call id, then health {}: an answer, and the beginning of another */
    char *bytes = testkit_alloc(16);
    const char answer[] = {0, 0, 0, 5, 0x08, (char)(seen.call_id + 1), (char)0xea, 0x03, 0, 0, 0};
    memcpy(bytes, answer, sizeof answer);
    fake_stop(fake);
    billing_client_free(client);
    const struct fake_step step = {.act = FAKE_BYTES, .bytes = bytes, .length = sizeof answer};
    fake = fake_start(&step, 1);
    client = client_of(fake_url(fake), billing_options_new());
    bytes[5] = 1; /* the first call of a new client */
    assert_i64(billing_server_health(client, NULL, NULL), 0);
    assert_i64(billing_server_health(client, NULL, NULL), 0);
    assert_u64(fake_requests(fake), 2);
    assert_int_equal(fake_connections(fake), 2);
    billing_client_free(client);
    fake_stop(fake);
}

/* --- daemons that do not read ----------------------------------------------------------------- */

/* A batch of about MIB mebibytes. */
static billing_usage_batch *large_batch(int mib)
{
    char value[1024 + 1];
    billing_usage_batch *batch = billing_usage_batch_new();
    billing_usage_input *input = billing_usage_input_new();
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    for (int i = 0; i < 16; i++) {
        assert_i64(billing_usage_input_add_label(input, "a", value), 0);
    }
    for (int i = 0; i < 64 * mib; i++) {
        assert_i64(billing_usage_batch_add(batch, input), 0);
    }
    billing_usage_input_free(input);
    return batch;
}

static void request__refused_before_it_is_read__answer_is_found(void **state)
{
    static const struct fake_step script[] = {
        {.act = FAKE_REFUSE_NEW, .code = "too_large", .http = 413},
    };
    billing_error *error;
    billing_usage_batch *batch = large_batch(8);
    (void)state;
    struct fake_daemon *fake = fake_start(script, 1);
    billing_client *client = client_of(fake_url(fake), billing_options_new());
    assert_i64(billing_usage_batch_create(client, batch, NULL, &error), BILLING_E_REFUSED);
    assert_string_equal(billing_error_code(error), "too_large");
    billing_error_free(error);
    billing_client_free(client);
    billing_usage_batch_free(batch);
    fake_stop(fake);
}

/* A socket at *RET_URL with room for BACKLOG connections that nobody accepts. */
static int deaf_listener(int backlog, struct sockaddr_un *ret_address, const char **ret_url)
{
    const char *path = testkit_format("%s/deaf.sock", testkit_tmpdir());
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    assert_true(strlen(path) < sizeof ret_address->sun_path);
    memcpy(ret_address->sun_path, path, strlen(path) + 1);
    assert_int_equal(bind(fd, (const struct sockaddr *)ret_address, sizeof *ret_address), 0);
    assert_int_equal(listen(fd, backlog), 0);
    *ret_url = testkit_format("unix://%s", path);
    return fd;
}

static void request__never_read__deadline_and_unknown(void **state)
{
    struct sockaddr_un address;
    const char *url;
    billing_error *error;
    billing_usage_batch *batch = large_batch(4); /* more than a socket holds */
    billing_options *options = billing_options_new();
    (void)state;
    int listener = deaf_listener(TRIES, &address, &url);
    assert_i64(billing_options_set_timeout_ms(options, 300), 0);
    billing_client *client = client_of(url, options);
    int status = BILLING_E_NOT_RECORDED;
    for (int i = 0; status == BILLING_E_NOT_RECORDED && i < TRIES; i++) { /* not a byte in time */
        billing_error_free(i == 0 ? NULL : error);
        int64_t start_ms = testkit_now_ms();
        status = billing_usage_batch_create(client, batch, NULL, &error);
        assert_true(testkit_now_ms() - start_ms < PATIENCE_MS);
    }
    assert_i64(status, BILLING_E_UNKNOWN);
    assert_string_equal(billing_error_code(error), "timeout");
    billing_error_free(error);
    billing_usage_batch_free(batch);
    billing_client_free(client);
    close(listener);
}

static void connect__never_accepted__deadline_and_not_recorded(void **state)
{
    struct sockaddr_un address;
    const char *url;
    int waiting[64];
    size_t count = 0;
    billing_error *error;
    billing_options *options = billing_options_new();
    (void)state;
    int listener = deaf_listener(0, &address, &url);
    for (bool full = false; !full && count < 64; count++) { /* until the backlog is full */
        waiting[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        full = connect(waiting[count], (const struct sockaddr *)&address, sizeof address) != 0;
    }
    assert_i64(billing_options_set_timeout_ms(options, 60), 0);
    billing_client *client = client_of(url, options);
    int64_t start_ms = testkit_now_ms();
    assert_i64(billing_usage_record(client, "c", "s", "1", "1", &error), BILLING_E_NOT_RECORDED);
    assert_true(testkit_now_ms() - start_ms < PATIENCE_MS);
    assert_string_equal(billing_error_code(error), "connect_failed");
    billing_error_free(error);
    billing_client_free(client);
    for (size_t i = 0; i < count; i++) {
        close(waiting[i]);
    }
    close(listener);
}

/* --- what is in a message --------------------------------------------------------------------- */

/* The status of decoding RESPONSE, or of reading it, which must then go well. */
static int decode(const Billing__V1__Response *response)
{
    struct reply *reply = NULL;
    size_t bytes = billing__v1__response__get_packed_size(response);
    uint8_t *payload = malloc(bytes);
    assert_non_null(payload);
    billing__v1__response__pack(response, payload);
    int status = reply_decode(payload, bytes, &reply);
    free(payload);
    if (status == 0) {
        billing_object_free(&reply->body);
    }
    return status;
}

static int decode_usage(const char *service, size_t service_bytes, const char *amount,
                        int64_t time_us)
{
    Billing__V1__Response response = BILLING__V1__RESPONSE__INIT;
    Billing__V1__UsageReply result = BILLING__V1__USAGE_REPLY__INIT;
    Billing__V1__Usage usage = BILLING__V1__USAGE__INIT;
    usage.has_service = 1;
    usage.service.data = (uint8_t *)(uintptr_t)service;
    usage.service.len = service_bytes;
    usage.has_amount = 1;
    usage.amount.data = (uint8_t *)(uintptr_t)amount;
    usage.amount.len = strlen(amount);
    usage.has_created_at = 1;
    usage.created_at = time_us;
    result.usage = &usage;
    response.result_case = BILLING__V1__RESPONSE__RESULT_GET_USAGE;
    response.get_usage = &result;
    return decode(&response);
}

static void decode__texts_that_are_none__refused(void **state)
{
    (void)state;
    assert_ok(decode_usage("Hosting \xc3\xa9", 10, "1", 0));
    assert_ok(decode_usage("", 0, "1", 0));
    assert_status(decode_usage("a\0b", 3, "1", 0), STATUS_MALFORMED_FRAME);
    assert_status(decode_usage("\0", 1, "1", 0), STATUS_MALFORMED_FRAME);
    assert_status(decode_usage("\xff", 1, "1", 0), STATUS_MALFORMED_FRAME);
    assert_status(decode_usage("\xc0\x80", 2, "1", 0), STATUS_MALFORMED_FRAME);
    assert_status(decode_usage("\xed\xa0\x80", 3, "1", 0), STATUS_MALFORMED_FRAME);
}

static void decode__numbers_and_times_that_are_none__refused(void **state)
{
    static const char *const good[] = {"0", "-0.5", "123456789012345678901234567890", "10.000"};
    static const char *const bad[] = {"",    "-",  "+1", "01", "-01", "1.",  ".5",      "1e5",
                                      "NaN", "1,", "1 ", " 1", "0x1", "1.-", "1}, {\"", "--1"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_ok(decode_usage("s", 1, good[i], 0));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_status(decode_usage("s", 1, bad[i], 0), STATUS_MALFORMED_FRAME);
    }
    assert_ok(decode_usage("s", 1, "1", INT64_C(253402300799999999)));
    assert_status(decode_usage("s", 1, "1", INT64_C(253402300800000000)), STATUS_MALFORMED_FRAME);
    assert_status(decode_usage("s", 1, "1", -1), STATUS_MALFORMED_FRAME);
    assert_status(decode_usage("s", 1, "1", INT64_MIN), STATUS_MALFORMED_FRAME);
}

/* A word that a later daemon may know is empty here, and no reason to lose the reply. */
static void decode__unknown_word__empty(void **state)
{
    static const uint8_t payload[] = {0xea, 0x03, 0x02, 0x08, 0x63}; /* health {status: 99} */
    struct reply *reply = NULL;
    (void)state;
    assert_ok(reply_decode(payload, sizeof payload, &reply));
    const char *text = billing_object_text(&reply->body, "status");
    assert_true(text == NULL || *text == '\0');
    billing_object_free(&reply->body);
}

/* Two bytes an item, and each is an object of hundreds: refused before it takes the machine. */
static void decode__frame_of_tiny_objects__bounded(void **state)
{
    enum {
        ITEMS = 4 * 1024 * 1024,
        BYTES = 2 * ITEMS,
        LENGTH_BYTES = 4,
    };
    struct reply *reply = NULL;
    uint8_t *payload = malloc(2 + LENGTH_BYTES + BYTES);
    uint8_t *at = payload;
    (void)state;
    assert_non_null(payload);
    *at++ = 0xaa; /* create_usage_batch = 21, of LENGTH_BYTES of length */
    *at++ = 0x01;
    for (int i = 0; i < LENGTH_BYTES; i++) {
        *at++ = (uint8_t)((BYTES >> (7 * i) & 0x7f) | (i + 1 < LENGTH_BYTES ? 0x80 : 0));
    }
    for (size_t i = 0; i < ITEMS; i++) {
        *at++ = 0x0a; /* results = 1, empty */
        *at++ = 0x00;
    }
    assert_status(reply_decode(payload, (size_t)(at - payload), &reply), STATUS_MALFORMED_FRAME);
    free(payload);
}

/* --- random bytes ----------------------------------------------------------------------------- */

/* Touch all that can be read of OBJECT. */
static size_t read_all(const billing_object *object)
{
    size_t sum = 0;
    for (size_t i = 0; i < billing_object_field_count(object); i++) {
        const char *name = billing_object_field_name(object, i);
        const char *text = billing_object_text(object, name);
        sum += text == NULL ? 0 : strlen(text);
        sum += (size_t)billing_object_time_us(object, name);
        sum += billing_object_uint64(object, name);
        if (billing_object_kind(object, name) == BILLING_FIELD_OBJECT &&
            billing_object_child(object, name) != NULL) {
            sum += read_all(billing_object_child(object, name));
        }
        for (size_t j = 0; j < billing_object_count(object, name); j++) {
            sum += read_all(billing_object_item(object, name, j));
        }
    }
    return sum;
}

struct sample {
    uint8_t bytes[4096];
    size_t length;
};

static void take_sample(const Billing__V1__Response *response, void *arg)
{
    struct sample *sample = arg;
    sample->length = billing__v1__response__get_packed_size(response);
    if (sample->length <= sizeof sample->bytes) {
        billing__v1__response__pack(response, sample->bytes);
    }
}

/* Proper answers of each kind, to be spoiled. */
static size_t take_samples(struct sample *samples)
{
    static const int calls[] = {10, 11, 12, 20, 22, 23, 30, 50, 60, 61};
    static const struct fake_step step = {.act = FAKE_PROBLEM, .code = "busy", .http = 503};
    Billing__V1__CreateCustomer customer = BILLING__V1__CREATE_CUSTOMER__INIT;
    Billing__V1__UsageInput input = BILLING__V1__USAGE_INPUT__INIT;
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    size_t count = sizeof calls / sizeof calls[0];
    for (size_t i = 0; i < count; i++) {
        request.call_case = (Billing__V1__Request__CallCase)calls[i];
        if (calls[i] == BILLING__V1__REQUEST__CALL_CREATE_CUSTOMER) {
            request.create_customer = &customer;
        } else if (calls[i] == BILLING__V1__REQUEST__CALL_CREATE_USAGE) {
            request.create_usage = &input;
        }
        fake_answer(&request, false, take_sample, &samples[i]);
    }
    fake_problem(NULL, &step, take_sample, &samples[count]);
    return count + 1;
}

static void decode__spoiled_answers__refused_or_readable(void **state)
{
    enum {
        ROUNDS = 20000,
    };
    struct rng rng = rng_make("spoiled");
    struct sample *samples = testkit_alloc(16 * sizeof *samples);
    size_t count = take_samples(samples);
    size_t good = 0;
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct sample sample = samples[rng_below(&rng, count)];
        struct reply *reply = NULL;
        char *json = NULL;
        for (uint64_t i = rng_below(&rng, 4); i > 0; i--) {
            sample.bytes[rng_below(&rng, sample.length)] = (uint8_t)rng_below(&rng, 256);
        }
        size_t length = rng_below(&rng, 8) == 0 ? rng_below(&rng, sample.length) : sample.length;
        uint8_t *exact = malloc(length > 0 ? length : 1); /* so that a sanitizer sees the end */
        assert_non_null(exact);
        memcpy(exact, sample.bytes, length);
        if (reply_decode(exact, length, &reply) == 0) {
            good++;
            free(exact);
            exact = NULL;
            read_all(&reply->body);
            assert_i64(billing_object_json(&reply->body, &json, NULL), 0);
            billing_text_free(json);
            billing_object_free(&reply->body);
        }
        free(exact);
    }
    assert_true(good > ROUNDS / 10 && good < ROUNDS); /* both ways were walked */
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(answer__not_a_response__thrown_away_with_its_connection),
    cmocka_unit_test(answer__to_a_write_for_ever_bad__outcome_unknown),
    cmocka_unit_test(answer__byte_at_a_time__understood),
    cmocka_unit_test(answer__half_a_header_and_then_nothing__deadline),
    cmocka_unit_test(answer__and_more_behind_it__taken_but_the_connection_is_not),
    cmocka_unit_test(request__refused_before_it_is_read__answer_is_found),
    cmocka_unit_test(request__never_read__deadline_and_unknown),
    cmocka_unit_test(connect__never_accepted__deadline_and_not_recorded),
    cmocka_unit_test(decode__texts_that_are_none__refused),
    cmocka_unit_test(decode__numbers_and_times_that_are_none__refused),
    cmocka_unit_test(decode__unknown_word__empty),
    cmocka_unit_test(decode__frame_of_tiny_objects__bounded),
    cmocka_unit_test(decode__spoiled_answers__refused_or_readable),
};

TESTKIT_MAIN(tests)
