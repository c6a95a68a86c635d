/* Who asks, and in which trace: tokens and their files, what becomes of them, traceparents. */
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <billing/admin.h>

#include "tests/unit/client_pair.h"
#include "tests/unit/fake_admin.h"

#define SECRET "bk_very-secret"
#define TRACE  "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

struct scene {
    struct fake_daemon *fake;
    billing_options *options; /* of a client of the fake that tries again at once */
    size_t seen;
};

static struct scene begin(const struct fake_step *script, size_t steps)
{
    struct scene scene = {.fake = fake_start(script, steps), .options = billing_options_new()};
    assert_i64(billing_options_set_url(scene.options, fake_url(scene.fake)), 0);
    assert_i64(billing_options_set_retry_delay_ms(scene.options, 0), 0);
    return scene;
}

static billing_client *client_of(struct scene *scene)
{
    billing_client *client;
    assert_i64(billing_client_new(scene->options, &client), 0);
    return client;
}

static void end(struct scene *scene, billing_client *client)
{
    billing_client_free(client);
    billing_options_free(scene->options);
    fake_stop(scene->fake);
}

/* What the next request that the fake saw has as token and as traceparent; NULL: nothing. */
struct carried {
    const char *token;
    const char *traceparent;
};

static const char *text_of(protobuf_c_boolean has, const ProtobufCBinaryData *bytes)
{
    return has ? testkit_format("%.*s", (int)bytes->len, (const char *)bytes->data) : NULL;
}

static struct carried next_carried(struct scene *scene)
{
    struct fake_seen seen = fake_request(scene->fake, scene->seen++);
    Billing__V1__Request *request = billing__v1__request__unpack(NULL, seen.bytes, seen.frame);
    assert_non_null(request);
    struct carried carried = {
        .token = text_of(request->has_token, &request->token),
        .traceparent = text_of(request->has_traceparent, &request->traceparent),
    };
    billing__v1__request__free_unpacked(request, NULL);
    return carried;
}

static const char *token_file(const char *contents)
{
    const char *path = testkit_format("%s/token", testkit_tmpdir());
    testkit_write_file(path, contents, strlen(contents));
    assert_int_equal(chmod(path, 0600), 0);
    return path;
}

/* Put CONTENTS in the place of what is at PATH, as whoever replaces keys does. */
static void replace_file(const char *path, const char *contents)
{
    const char *other = testkit_format("%s.new", path);
    testkit_write_file(other, contents, strlen(contents));
    assert_int_equal(chmod(other, 0600), 0);
    assert_int_equal(rename(other, path), 0);
}

/* --- the token -------------------------------------------------------------------------------- */

static void token__set__goes_out_with_each_try(void **state)
{
    static const struct fake_step script[] = {{.act = FAKE_HANG_UP}};
    struct scene scene = begin(script, 1);
    (void)state;
    assert_i64(billing_options_set_token(scene.options, SECRET), 0);
    billing_client *client = client_of(&scene);
    assert_i64(billing_customer_create(client, "Acme", NULL, NULL, NULL, NULL), 0);
    assert_i64(billing_server_info(client, NULL, NULL), 0);
    for (int i = 0; i < 3; i++) {
        assert_string_equal(next_carried(&scene).token, SECRET);
    }
    end(&scene, client);
}

static void token__not_set_or_taken_away__nothing_goes_out(void **state)
{
    struct scene scene = begin(NULL, 0);
    (void)state;
    billing_client *client = client_of(&scene);
    assert_i64(billing_server_info(client, NULL, NULL), 0);
    billing_client_free(client);
    assert_i64(billing_options_set_token(scene.options, SECRET), 0);
    assert_i64(billing_options_set_token(scene.options, NULL), 0);
    client = client_of(&scene);
    assert_i64(billing_server_info(client, NULL, NULL), 0);
    assert_null(next_carried(&scene).token);
    assert_null(next_carried(&scene).token);
    end(&scene, client);
}

static void token__refused__once_and_nowhere_in_what_is_said(void **state)
{
    static const struct {
        const char *code;
        uint32_t http;
    } rows[] = {{"unauthenticated", 401}, {"forbidden", 403}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fake_step script[] = {
            {.act = FAKE_PROBLEM, .code = rows[i].code, .http = rows[i].http}};
        struct scene scene = begin(script, 1);
        billing_error *error;
        char *json;
        assert_i64(billing_options_set_token(scene.options, SECRET), 0);
        billing_client *client = client_of(&scene);
        assert_i64(billing_customer_create(client, "A", NULL, NULL, NULL, &error),
                   BILLING_E_REFUSED);
        assert_string_equal(billing_error_code(error), rows[i].code);
        assert_int_equal(billing_error_http_status(error), rows[i].http);
        assert_u64(fake_requests(scene.fake), 1);
        assert_i64(billing_object_json(billing_error_problem(error), &json, NULL), 0);
        assert_null(strstr(json, SECRET));
        assert_null(strstr(billing_error_message(error), SECRET));
        billing_text_free(json);
        billing_error_free(error);
        end(&scene, client);
    }
}

/* --- memory that is given back ---------------------------------------------------------------- */

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
void __real_free(void *memory);
void __wrap_free(void *memory);
/* NOLINTEND(bugprone-reserved-identifier) */

static pthread_t watched; /* the thread that is watched, while there is a secret */
static const char *secret;
static int blocks_with_it; /* that were freed with the secret in them */

/* The fake has its own thread, and what it saw is its own. */
void __wrap_free(void *memory)
{
    if (memory != NULL && secret != NULL && pthread_equal(watched, pthread_self()) != 0 &&
        memmem(memory, malloc_usable_size(memory), secret, strlen(secret)) != NULL) {
        blocks_with_it++;
    }
    __real_free(memory);
}

static void watch_for(const char *text)
{
    watched = pthread_self();
    secret = text;
    blocks_with_it = 0;
}

/* Of no other test: what they freed may be given to this one as it was. */
#define OWN_SECRET "bk_secret-of-one-test"

static void memory__freed__never_with_a_token_in_it(void **state)
{
    static const struct fake_step script[] = {
        {.act = FAKE_HANG_UP},
        {.act = FAKE_PROBLEM, .code = "unauthenticated", .http = 401},
    };
    struct scene scene = begin(script, 2);
    (void)state;
    const char *path = token_file("");
    int fd = open(path, O_WRONLY | O_CLOEXEC); /* past any buffer, which would keep it */
    assert_true(write(fd, OWN_SECRET "\n", strlen(OWN_SECRET "\n")) > 0);
    assert_int_equal(close(fd), 0);
    watch_for(OWN_SECRET);
    assert_i64(billing_options_set_token(scene.options, OWN_SECRET), 0);
    billing_client *client = client_of(&scene);
    assert_i64(billing_options_set_token(scene.options, NULL), 0);
    assert_i64(billing_server_info(client, NULL, NULL), BILLING_E_REFUSED);
    billing_client_free(client);
    assert_i64(billing_options_set_token_file(scene.options, path), 0);
    client = client_of(&scene);
    assert_i64(billing_server_info(client, NULL, NULL), 0);
    billing_client_free(client);
    assert_int_equal(blocks_with_it, 0);
    char *copy = strdup(OWN_SECRET); /* it would be seen */
    assert_non_null(copy);
    __wrap_free(copy);
    assert_int_equal(blocks_with_it, 1);
    watch_for(NULL);
    end(&scene, NULL);
}

static void memory__of_a_new_key__never_with_it_in_it(void **state)
{
    struct scene scene = begin(NULL, 0);
    billing_object *reply;
    (void)state;
    billing_key_input *input = billing_key_input_new();
    billing_client *client = client_of(&scene);
    watch_for(FAKE_NEW_KEY);
    assert_i64(billing_key_create(client, input, &reply, NULL), 0);
    assert_string_equal(billing_object_text(reply, "key"), FAKE_NEW_KEY);
    billing_object_free(reply);
    billing_client_free(client);
    assert_int_equal(blocks_with_it, 0);
    watch_for(NULL);
    billing_key_input_free(input);
    end(&scene, NULL);
}

/* --- its file --------------------------------------------------------------------------------- */

static void token_file__read__without_its_newline(void **state)
{
    struct scene scene = begin(NULL, 0);
    (void)state;
    assert_i64(billing_options_set_token(scene.options, "before"), 0);
    assert_i64(billing_options_set_token_file(scene.options, token_file(SECRET "\n")), 0);
    billing_client *client = client_of(&scene);
    assert_i64(billing_server_info(client, NULL, NULL), 0);
    assert_string_equal(next_carried(&scene).token, SECRET);
    billing_client_free(client);
    assert_i64(billing_options_set_token(scene.options, "after"), 0); /* takes its place */
    client = client_of(&scene);
    assert_i64(billing_server_info(client, NULL, NULL), 0);
    assert_string_equal(next_carried(&scene).token, "after");
    end(&scene, client);
}

/* The reason why the client of SCENE cannot use the token file at PATH. */
static const char *why_not(struct scene *scene, const char *path)
{
    billing_error *error;
    assert_i64(billing_options_set_token_file(scene->options, path), 0);
    billing_client *client = client_of(scene);
    assert_i64(billing_customer_create(client, "A", NULL, NULL, NULL, &error), BILLING_E_ARGUMENT);
    assert_string_equal(billing_error_code(error), "bad_token_file");
    assert_int_equal(billing_error_attempts(error), 1);
    const char *message = testkit_format("%s", billing_error_message(error));
    assert_contains(message, path);
    assert_null(strstr(message, SECRET));
    billing_error_free(error);
    billing_client_free(client);
    return message;
}

static void token_file__others_may_use_it__refused_with_the_way_out(void **state)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0602, 0644, 0660, 0610};
    struct scene scene = begin(NULL, 0);
    (void)state;
    const char *path = token_file(SECRET);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        assert_int_equal(chmod(path, modes[i]), 0);
        const char *message = why_not(&scene, path);
        assert_contains(message, testkit_format("mode %04o", (unsigned)modes[i]));
        assert_contains(message, testkit_format("chmod go= %s", path));
    }
    assert_u64(fake_requests(scene.fake), 0);
    assert_int_equal(fake_connections(scene.fake), 0);
    assert_int_equal(chmod(path, 0400), 0);
    billing_client *client = client_of(&scene);
    assert_i64(billing_server_info(client, NULL, NULL), 0);
    end(&scene, client);
}

static void token_file__not_a_file_with_a_token__refused(void **state)
{
    struct scene scene = begin(NULL, 0);
    char longest[4096 + 1 + 1 + 1];
    (void)state;
    const char *directory = testkit_tmpdir();
    const char *pipe_path = testkit_format("%s/pipe", directory);
    assert_contains(why_not(&scene, testkit_format("%s/nowhere", directory)), "No such file");
    assert_contains(why_not(&scene, directory), "not a regular file");
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    assert_contains(why_not(&scene, pipe_path), "not a regular file");
    assert_contains(why_not(&scene, token_file("")), "is empty");
    assert_contains(why_not(&scene, token_file("\n")), "is empty");
    assert_contains(why_not(&scene, token_file(SECRET "\n\n")), "something else");
    assert_contains(why_not(&scene, token_file(SECRET "\r\n")), "a carriage return (0x0d)");
    assert_contains(why_not(&scene, token_file(SECRET "\r")), "a carriage return (0x0d)");
    assert_contains(why_not(&scene, token_file("\r\n")), "a carriage return (0x0d)");
    assert_contains(why_not(&scene, token_file("a\r\nb")), "something else");
    assert_contains(why_not(&scene, token_file(SECRET " x")), "something else");
    assert_contains(why_not(&scene, token_file("caf\xc3\xa9")), "something else");
    memset(longest, 'a', sizeof longest);
    longest[4097] = '\0';
    assert_contains(why_not(&scene, token_file(longest)), "longer than a token of 4096");
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    longest[4097] = '\n';
    assert_contains(why_not(&scene, token_file(longest)), "longer than a token of 4096");
    assert_u64(fake_requests(scene.fake), 0);
    longest[4096] = '\n';
    longest[4097] = '\0';
    assert_i64(billing_options_set_token_file(scene.options, token_file(longest)), 0);
    billing_client *client = client_of(&scene);
    assert_i64(billing_server_info(client, NULL, NULL), 0);
    const char *token = next_carried(&scene).token;
    assert_text(token, token == NULL ? 0 : strlen(token), testkit_format("%.4096s", longest));
    end(&scene, client);
}

static void token_file__a_nul_in_it__refused(void **state)
{
    struct scene scene = begin(NULL, 0);
    (void)state;
    const char *path = token_file("");
    testkit_write_file(path, "ab\0cd", 5);
    assert_contains(why_not(&scene, path), "something else");
    billing_options_free(scene.options);
    fake_stop(scene.fake);
}

static void token_file__bad_paths__argument(void **state)
{
    billing_options *options = billing_options_new();
    (void)state;
    assert_i64(billing_options_set_token_file(options, ""), BILLING_E_ARGUMENT);
    assert_i64(billing_options_set_token_file(NULL, "/x"), BILLING_E_ARGUMENT);
    assert_i64(billing_options_set_token_file(options, NULL), 0);
    billing_options_free(options);
}

/* A key is replaced: first the file, then the old one is revoked. */
static void token_file__replaced__kept_connections_refused_and_the_call_done(void **state)
{
    static const struct fake_step script[] = {
        {.act = FAKE_ANSWER},
        {.act = FAKE_ANSWER},
        {.act = FAKE_PROBLEM, .code = "unauthenticated", .http = 401},
    };
    struct scene scene = begin(script, 3);
    (void)state;
    const char *path = token_file("old\n");
    assert_i64(billing_options_set_token_file(scene.options, path), 0);
    billing_client *client = client_of(&scene);
    assert_i64(billing_server_info(client, NULL, NULL), 0);
    replace_file(path, "new\n");
    assert_i64(billing_server_info(client, NULL, NULL), 0); /* over the connection that is kept */
    assert_i64(billing_customer_create(client, "A", NULL, "r-1", NULL, NULL), 0);
    assert_string_equal(next_carried(&scene).token, "old");
    assert_string_equal(next_carried(&scene).token, "old");
    assert_string_equal(next_carried(&scene).token, "old");
    assert_string_equal(next_carried(&scene).token, "new");
    assert_string_equal(fake_request(scene.fake, 3).request_id, "r-1");
    assert_int_equal(fake_connections(scene.fake), 2);
    end(&scene, client);
}

static void token_file__refused_on_a_new_connection__not_tried_again(void **state)
{
    static const struct fake_step script[] = {
        {.act = FAKE_PROBLEM, .code = "unauthenticated", .http = 401},
        {.act = FAKE_PROBLEM, .code = "unauthenticated", .http = 401},
        {.act = FAKE_PROBLEM, .code = "unauthenticated", .http = 401},
    };
    struct scene scene = begin(script, 3);
    (void)state;
    assert_i64(billing_options_set_token_file(scene.options, token_file(SECRET)), 0);
    billing_client *client = client_of(&scene);
    assert_i64(billing_server_info(client, NULL, NULL), BILLING_E_REFUSED);
    assert_u64(fake_requests(scene.fake), 1);
    assert_i64(billing_server_info(client, NULL, NULL), BILLING_E_REFUSED); /* the kept, the new */
    assert_u64(fake_requests(scene.fake), 3);
    end(&scene, client);
}

/* --- the environment -------------------------------------------------------------------------- */

/* The token that a client of the environment sends. */
static const char *environment_token(void)
{
    struct scene scene = begin(NULL, 0);
    const char *variable = NULL;
    assert_i64(billing_options_from_environment(scene.options, &variable), 0);
    billing_client *client = client_of(&scene);
    assert_i64(billing_server_info(client, NULL, NULL), 0);
    const char *token = next_carried(&scene).token;
    end(&scene, client);
    return token;
}

static void from_environment__several__the_nearest_counts(void **state)
{
    (void)state;
    const char *credential = testkit_format("%s/billing-token", testkit_tmpdir());
    testkit_write_file(credential, "credential", 10);
    assert_int_equal(chmod(credential, 0400), 0);
    const char *directory =
        testkit_format("%.*s", (int)(strrchr(credential, '/') - credential), credential);
    assert_int_equal(unsetenv("BILLING_URL"), 0);
    assert_int_equal(unsetenv("BILLING_TOKEN"), 0);
    assert_int_equal(unsetenv("BILLING_TOKEN_FILE"), 0);
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", testkit_tmpdir(), 1), 0);
    assert_null(environment_token()); /* there is none of ours in it */
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", directory, 1), 0);
    assert_string_equal(environment_token(), "credential");
    assert_int_equal(setenv("BILLING_TOKEN_FILE", token_file("file\n"), 1), 0);
    assert_string_equal(environment_token(), "file");
    assert_int_equal(setenv("BILLING_TOKEN", "variable", 1), 0);
    assert_string_equal(environment_token(), "variable");
    assert_int_equal(setenv("BILLING_TOKEN", "", 1), 0);
    assert_string_equal(environment_token(), "file");
    assert_int_equal(unsetenv("BILLING_TOKEN"), 0);
    assert_int_equal(unsetenv("BILLING_TOKEN_FILE"), 0);
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

/* --- traces ----------------------------------------------------------------------------------- */

static void set_traceparent__anything__only_what_the_format_allows(void **state)
{
    static const char *const bad[] = {
        "",
        "00",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
        "0-4bf92f3577b34da6a3ce929d0e0e47360-00f067aa0ba902b7-001",
    };
    billing_options *options = billing_options_new();
    (void)state;
    assert_i64(billing_options_set_traceparent(options, TRACE), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_i64(billing_options_set_traceparent(options, bad[i]), BILLING_E_ARGUMENT);
    }
    assert_i64(billing_options_set_traceparent(options, NULL), 0);
    assert_i64(billing_options_set_traceparent(NULL, TRACE), BILLING_E_ARGUMENT);
    billing_options_set_traceparent_finder(NULL, NULL, NULL);
    billing_options_free(options);
}

static void traceparent__set__goes_out_with_each_call(void **state)
{
    struct scene scene = begin(NULL, 0);
    (void)state;
    assert_i64(billing_options_set_traceparent(scene.options, TRACE), 0);
    billing_client *client = client_of(&scene);
    assert_i64(billing_server_info(client, NULL, NULL), 0);
    assert_i64(billing_server_info(client, NULL, NULL), 0);
    assert_string_equal(next_carried(&scene).traceparent, TRACE);
    assert_string_equal(next_carried(&scene).traceparent, TRACE);
    billing_client_free(client);
    assert_i64(billing_options_set_traceparent(scene.options, NULL), 0);
    client = client_of(&scene);
    assert_i64(billing_server_info(client, NULL, NULL), 0);
    assert_null(next_carried(&scene).traceparent);
    end(&scene, client);
}

/* Counts its calls, and finds what ARG says. */
struct finder {
    const char *text; /* NULL: there is none */
    int calls;
};

static int find(char *buffer, void *arg)
{
    struct finder *finder = arg;
    finder->calls++;
    if (finder->text == NULL) {
        return 1;
    }
    memcpy(buffer, finder->text, strnlen(finder->text, BILLING_TRACEPARENT_BYTES) + 1);
    return 0;
}

static void traceparent_finder__each_call__asked_once(void **state)
{
    static const struct fake_step script[] = {{.act = FAKE_HANG_UP}};
    struct scene scene = begin(script, 1);
    struct finder finder = {.text = TRACE};
    (void)state;
    billing_options_set_traceparent_finder(scene.options, find, &finder);
    billing_client *client = client_of(&scene);
    assert_i64(billing_server_info(client, NULL, NULL), 0);
    assert_int_equal(finder.calls, 1);
    assert_string_equal(next_carried(&scene).traceparent, TRACE);
    assert_string_equal(next_carried(&scene).traceparent, TRACE); /* of the second try */
    finder.text = NULL;
    assert_i64(billing_server_info(client, NULL, NULL), 0);
    assert_null(next_carried(&scene).traceparent);
    finder.text = "00-nonsense";
    assert_i64(billing_server_info(client, NULL, NULL), 0);
    assert_null(next_carried(&scene).traceparent);
    finder.text = TRACE "-and-more"; /* the buffer has no NUL then */
    assert_i64(billing_server_info(client, NULL, NULL), 0);
    assert_null(next_carried(&scene).traceparent);
    end(&scene, client);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(token__set__goes_out_with_each_try),
    cmocka_unit_test(token__not_set_or_taken_away__nothing_goes_out),
    cmocka_unit_test(token__refused__once_and_nowhere_in_what_is_said),
    cmocka_unit_test(memory__freed__never_with_a_token_in_it),
    cmocka_unit_test(memory__of_a_new_key__never_with_it_in_it),
    cmocka_unit_test(token_file__read__without_its_newline),
    cmocka_unit_test(token_file__others_may_use_it__refused_with_the_way_out),
    cmocka_unit_test(token_file__not_a_file_with_a_token__refused),
    cmocka_unit_test(token_file__a_nul_in_it__refused),
    cmocka_unit_test(token_file__bad_paths__argument),
    cmocka_unit_test(token_file__replaced__kept_connections_refused_and_the_call_done),
    cmocka_unit_test(token_file__refused_on_a_new_connection__not_tried_again),
    cmocka_unit_test(from_environment__several__the_nearest_counts),
    cmocka_unit_test(set_traceparent__anything__only_what_the_format_allows),
    cmocka_unit_test(traceparent__set__goes_out_with_each_call),
    cmocka_unit_test(traceparent_finder__each_call__asked_once),
};

TESTKIT_MAIN(tests)
