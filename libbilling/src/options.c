#include "libbilling/src/options.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libbilling/src/place.h"
#include "libbilling/src/token.h"
#include "libbilling/src/traceparent.h"
#include "proto/limits.h"

enum {
    TIMEOUT_MS_DEFAULT = 30000,
    TRY_TIMEOUT_MS_DEFAULT = 10000,
    TIMEOUT_MS_MAX = 604800000,
    RETRIES_DEFAULT = 3,
    RETRIES_MAX = 100,
    RETRY_DELAY_MS_DEFAULT = 1000,
    RETRY_DELAY_MS_MAX = 60000,
    FRAME_BYTES_MAX = 1 << 30,
    LOG_LINE_MAX = 768,
};

void options_init(struct billing_options *options)
{
    *options = (struct billing_options){
        .timeout_ms = TIMEOUT_MS_DEFAULT,
        .try_timeout_ms = TRY_TIMEOUT_MS_DEFAULT,
        .retry_delay_ms = RETRY_DELAY_MS_DEFAULT,
        .retries_max = RETRIES_DEFAULT,
        .frame_bytes_max = LIMIT_FRAME_BYTES_DEFAULT,
    };
}

/* Have TOKEN, or the one in TOKEN_FILE, in the place of what there is.  Both may be NULL, and are
 * taken over. */
static void replace_token(struct billing_options *options, char *token, char *token_file)
{
    token_free(options->token);
    free(options->token_file);
    options->token = token;
    options->token_file = token_file;
}

void options_done(struct billing_options *options)
{
    free(options->url);
    options->url = NULL;
    replace_token(options, NULL, NULL);
}

/* A copy of TEXT on the heap through malloc(), as everything here. */
static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    if (copy != NULL) {
        memcpy(copy, text, size);
    }
    return copy;
}

int options_copy(const struct billing_options *from, struct billing_options *ret)
{
    *ret = *from;
    ret->url = from->url == NULL ? NULL : copy_text(from->url);
    ret->token = from->token == NULL ? NULL : copy_text(from->token);
    ret->token_file = from->token_file == NULL ? NULL : copy_text(from->token_file);
    if ((from->url != NULL && ret->url == NULL) || (from->token != NULL && ret->token == NULL) ||
        (from->token_file != NULL && ret->token_file == NULL)) {
        options_done(ret);
        return BILLING_E_NO_MEMORY;
    }
    return 0;
}

const char *options_traceparent(const struct billing_options *options, char *buffer)
{
    if (options->find_traceparent == NULL) {
        return options->traceparent[0] == '\0' ? NULL : options->traceparent;
    }
    buffer[0] = '\0';
    bool found = options->find_traceparent(buffer, options->find_traceparent_arg) == 0;
    return found && memchr(buffer, '\0', BILLING_TRACEPARENT_BYTES + 1) != NULL &&
                   traceparent_is_good(buffer)
               ? buffer
               : NULL;
}

void options_log(const struct billing_options *options, billing_log_level level, const char *format,
                 ...)
{
    char line[LOG_LINE_MAX];
    va_list arguments;
    if (options->log == NULL) {
        return;
    }
    va_start(arguments, format);
    int n = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (n >= 0) {
        options->log(level, line, options->log_arg);
    }
}

/* --- public ----------------------------------------------------------------------------------- */

billing_options *billing_options_new(void)
{
    billing_options *options = malloc(sizeof *options);
    if (options != NULL) {
        options_init(options);
    }
    return options;
}

void billing_options_free(billing_options *options)
{
    if (options != NULL) {
        options_done(options);
        free(options);
    }
}

int billing_options_set_url(billing_options *options, const char *url)
{
    struct place ignored;
    char *copy = NULL;
    if (options == NULL || (url != NULL && place_parse(url, &ignored) != 0)) {
        return BILLING_E_ARGUMENT;
    }
    if (url != NULL) {
        copy = copy_text(url);
        if (copy == NULL) {
            return BILLING_E_NO_MEMORY;
        }
    }
    free(options->url);
    options->url = copy;
    return 0;
}

/* Set a number of OPTIONS, which may be NULL, if it is within its bounds. */
static int check_bounds(const billing_options *options, int64_t value, int64_t low, int64_t high)
{
    if (options == NULL) {
        return BILLING_E_ARGUMENT;
    }
    return value < low || value > high ? BILLING_E_RANGE : 0;
}

int billing_options_set_timeout_ms(billing_options *options, int64_t timeout_ms)
{
    int status = check_bounds(options, timeout_ms, 1, TIMEOUT_MS_MAX);
    if (status == 0) {
        options->timeout_ms = timeout_ms;
    }
    return status;
}

int billing_options_set_try_timeout_ms(billing_options *options, int64_t timeout_ms)
{
    int status = check_bounds(options, timeout_ms, 1, TIMEOUT_MS_MAX);
    if (status == 0) {
        options->try_timeout_ms = timeout_ms;
    }
    return status;
}

int billing_options_set_retries_max(billing_options *options, int retries_max)
{
    int status = check_bounds(options, retries_max, 0, RETRIES_MAX);
    if (status == 0) {
        options->retries_max = retries_max;
    }
    return status;
}

int billing_options_set_retry_delay_ms(billing_options *options, int64_t delay_ms)
{
    int status = check_bounds(options, delay_ms, 0, RETRY_DELAY_MS_MAX);
    if (status == 0) {
        options->retry_delay_ms = delay_ms;
    }
    return status;
}

int billing_options_set_frame_bytes_max(billing_options *options, size_t bytes)
{
    int64_t value = bytes > INT64_MAX ? INT64_MAX : (int64_t)bytes;
    int status = check_bounds(options, value, LIMIT_FRAME_BYTES_MIN, FRAME_BYTES_MAX);
    if (status == 0) {
        options->frame_bytes_max = bytes;
    }
    return status;
}

int billing_options_set_token(billing_options *options, const char *token)
{
    char *copy = NULL;
    if (options == NULL || (token != NULL && !token_is_good(token))) {
        return BILLING_E_ARGUMENT;
    }
    if (token != NULL) {
        copy = copy_text(token);
        if (copy == NULL) {
            return BILLING_E_NO_MEMORY;
        }
    }
    replace_token(options, copy, NULL);
    return 0;
}

int billing_options_set_token_file(billing_options *options, const char *path)
{
    char *copy = NULL;
    if (options == NULL || (path != NULL && *path == '\0')) {
        return BILLING_E_ARGUMENT;
    }
    if (path != NULL) {
        copy = copy_text(path);
        if (copy == NULL) {
            return BILLING_E_NO_MEMORY;
        }
    }
    replace_token(options, NULL, copy);
    return 0;
}

int billing_options_set_traceparent(billing_options *options, const char *traceparent)
{
    if (options == NULL || (traceparent != NULL && !traceparent_is_good(traceparent))) {
        return BILLING_E_ARGUMENT;
    }
    options->traceparent[0] = '\0';
    if (traceparent != NULL) {
        memcpy(options->traceparent, traceparent, sizeof options->traceparent);
    }
    return 0;
}

void billing_options_set_traceparent_finder(billing_options *options, billing_traceparent_fn find,
                                            void *arg)
{
    if (options != NULL) {
        options->find_traceparent = find;
        options->find_traceparent_arg = arg;
    }
}

void billing_options_set_log(billing_options *options, billing_log_fn log, void *arg)
{
    if (options != NULL) {
        options->log = log;
        options->log_arg = arg;
    }
}

void billing_options_set_request_id_maker(billing_options *options, billing_request_id_fn make,
                                          void *arg)
{
    if (options != NULL) {
        options->make_request_id = make;
        options->make_request_id_arg = arg;
    }
}

/* --- the environment -------------------------------------------------------------------------- */

static int set_timeout_text(billing_options *options, const char *text)
{
    int64_t timeout_ms = 0;
    int status = billing_duration_parse(text, &timeout_ms);
    return status != 0 ? status : billing_options_set_timeout_ms(options, timeout_ms);
}

/* What the service manager keeps for the service, where our credential is among it. */
static int set_credentials(billing_options *options, const char *directory)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/billing-token", directory);
    if (n < 0 || (size_t)n >= sizeof path || access(path, F_OK) != 0) {
        return 0;
    }
    return billing_options_set_token_file(options, path);
}

int billing_options_from_environment(billing_options *options, const char **ret_variable)
{
    static const struct {
        const char *variable;
        int (*set)(billing_options *options, const char *value);
    } table[] = {
        {"BILLING_URL", billing_options_set_url},
        /* Of these the last one counts. */
        {"CREDENTIALS_DIRECTORY", set_credentials},
        {"BILLING_TOKEN_FILE", billing_options_set_token_file},
        {"BILLING_TOKEN", billing_options_set_token},
        {"BILLING_TIMEOUT", set_timeout_text},
    };
    if (options == NULL) {
        return BILLING_E_ARGUMENT;
    }
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const char *value = secure_getenv(table[i].variable);
        int status = value == NULL || *value == '\0' ? 0 : table[i].set(options, value);
        if (status != 0 && ret_variable != NULL) {
            *ret_variable = table[i].variable;
        }
        if (status != 0) {
            return status;
        }
    }
    return 0;
}
