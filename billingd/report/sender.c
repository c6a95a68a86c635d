#include "billingd/report/sender.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "billingd/base/assert.h"
#include "billingd/base/clock.h"

struct sender {
    struct sender_options options;
    CURLM *multi;
    CURL *easy;
    struct curl_slist *headers;
};

/* --- setting up ------------------------------------------------------------------------------- */

static size_t drop_cb(char *data, size_t size, size_t n, void *arg)
{
    (void)data;
    (void)arg;
    return size * n;
}

/* Each is one that this libcurl knows. */
#define SET(easy, option, value) INVARIANT(curl_easy_setopt(easy, option, value) == CURLE_OK)

static void set_up(struct sender *sender)
{
    CURL *easy = sender->easy;
    SET(easy, CURLOPT_URL, sender->options.dsn.url);
    SET(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    SET(easy, CURLOPT_POST, 1L);
    SET(easy, CURLOPT_HTTPHEADER, sender->headers);
    SET(easy, CURLOPT_WRITEFUNCTION, drop_cb);
    SET(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)SENDER_CONNECT_MS);
    SET(easy, CURLOPT_TIMEOUT_MS, (long)SENDER_TIMEOUT_MS);
    SET(easy, CURLOPT_NOSIGNAL, 1L);
    SET(easy, CURLOPT_QUICK_EXIT, 1L); /* a resolver that hangs must not hold up the end */
}

static struct curl_slist *append(struct curl_slist *list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(list, line);
    if (longer == NULL) {
        curl_slist_free_all(list);
    }
    return longer;
}

static struct curl_slist *make_headers(const struct sender_options *options)
{
    char line[256];
    struct curl_slist *list = append(NULL, "Content-Type: application/x-sentry-envelope");
    IGNORE(snprintf(line, sizeof line,
                    "X-Sentry-Auth: Sentry sentry_version=7, sentry_client=billingd/%s, "
                    "sentry_key=%s",
                    options->version, options->dsn.key) < 0); /* fits */
    list = list == NULL ? NULL : append(list, line);
    IGNORE(snprintf(line, sizeof line, "User-Agent: billingd/%s", options->version) < 0); /* fits */
    return list == NULL ? NULL : append(list, line);
}

int sender_create(const struct sender_options *options, struct sender **ret_sender)
{
    struct sender *sender = calloc(1, sizeof *sender);
    if (sender == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(sender);
        return STATUS_NO_MEMORY;
    }
    sender->options = *options;
    sender->multi = curl_multi_init();
    sender->easy = curl_easy_init();
    sender->headers = make_headers(options);
    if (sender->multi == NULL || sender->easy == NULL || sender->headers == NULL) {
        sender_destroy(sender);
        return STATUS_NO_MEMORY;
    }
    set_up(sender);
    *ret_sender = sender;
    return 0;
}

void sender_destroy(struct sender *sender)
{
    if (sender == NULL) {
        return;
    }
    curl_easy_cleanup(sender->easy);
    IGNORE(curl_multi_cleanup(sender->multi) != CURLM_OK); /* there is nothing more to do */
    curl_slist_free_all(sender->headers);
    curl_global_cleanup();
    free(sender);
}

/* --- one envelope ----------------------------------------------------------------------------- */

static bool is_cut(const struct sender *sender)
{
    return clock_monotonic_us() >= atomic_load(sender->options.cut_us);
}

/* Until something happens, or who waits for us has waited long enough. */
static void wait_a_little(struct sender *sender)
{
    struct curl_waitfd wake = {.fd = sender->options.wake_fd, .events = CURL_WAIT_POLLIN};
    int64_t left_us = atomic_load(sender->options.cut_us) - clock_monotonic_us();
    int64_t left_ms = left_us < 0 ? 0 : left_us / 1000 + 1;
    uint64_t count;
    IGNORE(curl_multi_poll(sender->multi, &wake, 1,
                           (int)(left_ms < SENDER_TIMEOUT_MS ? left_ms : SENDER_TIMEOUT_MS),
                           NULL) != CURLM_OK); /* then it goes round */
    if (wake.revents != 0) {
        IGNORE(read(wake.fd, &count, sizeof count) < 0); /* so that it wakes once */
    }
}

/* The HTTP status of the answer; 0 where there is none. */
static long transfer(struct sender *sender)
{
    int running = 1;
    int left;
    long status = 0;
    if (curl_multi_add_handle(sender->multi, sender->easy) != CURLM_OK) {
        return 0;
    }
    while (running > 0 && !is_cut(sender)) {
        if (curl_multi_perform(sender->multi, &running) != CURLM_OK) {
            break;
        }
        if (running > 0) {
            wait_a_little(sender);
        }
    }
    const CURLMsg *message = curl_multi_info_read(sender->multi, &left);
    bool answered =
        message != NULL && message->msg == CURLMSG_DONE && message->data.result == CURLE_OK;
    IGNORE(curl_multi_remove_handle(sender->multi, sender->easy) != CURLM_OK); /* it was added */
    if (!answered || curl_easy_getinfo(sender->easy, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK) {
        return 0;
    }
    return status;
}

static void note_limits(struct sender *sender, long status, struct report_limits *limits)
{
    struct curl_header *header = NULL;
    curl_off_t retry_after = 0;
    const char *rate_limits = NULL;
    if (curl_easy_header(sender->easy, "X-Sentry-Rate-Limits", 0, CURLH_HEADER, -1, &header) ==
        CURLHE_OK) {
        rate_limits = header->value;
    }
    /* 0 where there is no such header, or it makes no sense */
    IGNORE(curl_easy_getinfo(sender->easy, CURLINFO_RETRY_AFTER, &retry_after) != CURLE_OK);
    report_limits_note(limits, status, retry_after > 0 ? retry_after : -1, rate_limits,
                       clock_monotonic_us());
}

int sender_post(struct sender *sender, const char *body, size_t length,
                struct report_limits *limits)
{
    SET(sender->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
    SET(sender->easy, CURLOPT_POSTFIELDS, body);
    long status = transfer(sender);
    if (status == 0) {
        return STATUS_INTERNAL;
    }
    note_limits(sender, status, limits);
    if (status == 429) {
        return STATUS_RATE_LIMITED;
    }
    return status >= 200 && status < 300 ? 0 : STATUS_INTERNAL;
}
