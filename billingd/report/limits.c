#include "billingd/report/limits.h"

#include <stdlib.h>
#include <string.h>

static const int64_t second_us = 1000000;

/* The kind of FINGERPRINT, else the one that is longest ago. */
static struct report_kind *find(struct report_limits *limits, uint64_t fingerprint)
{
    struct report_kind *oldest = &limits->kinds[0];
    for (unsigned i = 0; i < REPORT_KINDS_MAX; i++) {
        struct report_kind *kind = &limits->kinds[i];
        if (kind->sent_us != 0 && kind->fingerprint == fingerprint) {
            return kind;
        }
        oldest = kind->sent_us < oldest->sent_us ? kind : oldest;
    }
    return oldest;
}

bool report_limits_admit(struct report_limits *limits, uint64_t fingerprint, int64_t now_us,
                         unsigned *ret_repeated)
{
    struct report_kind *kind = find(limits, fingerprint);
    bool known = kind->sent_us != 0 && kind->fingerprint == fingerprint;
    bool early = known && now_us - kind->sent_us < REPORT_INTERVAL_S * second_us;
    if (early || now_us < limits->paused_until_us) {
        kind->repeated += known;
        return false;
    }
    *ret_repeated = known ? kind->repeated : 0;
    *kind = (struct report_kind){.fingerprint = fingerprint, .sent_us = now_us};
    return true;
}

/* Whether CATEGORIES, up to a ':', are all, or name errors among others. */
static bool is_about_errors(const char *categories)
{
    size_t length = strcspn(categories, ":,");
    if (length == 0) {
        return true;
    }
    for (size_t i = 0; i < length; i++) {
        size_t word = strcspn(categories + i, ";:,");
        if ((word == 5 && strncmp(categories + i, "error", word) == 0) ||
            (word == 7 && strncmp(categories + i, "default", word) == 0)) {
            return true;
        }
        i += word;
    }
    return false;
}

/* The longest pause that "SECONDS:CATEGORIES:SCOPE, ..." asks of us; negative: none. */
static int64_t rate_limit_seconds(const char *text)
{
    int64_t longest = -1;
    while (text != NULL && *text != '\0') {
        char *end;
        text += strspn(text, ", ");
        long long seconds = strtoll(text, &end, 10);
        if (end > text && *end == ':' && seconds > longest && is_about_errors(end + 1)) {
            longest = seconds;
        }
        text += strcspn(text, ",");
    }
    return longest;
}

void report_limits_note(struct report_limits *limits, long status, int64_t retry_after,
                        const char *rate_limits, int64_t now_us)
{
    int64_t seconds = rate_limit_seconds(rate_limits);
    if (rate_limits == NULL && (status == 429 || status == 503)) {
        seconds = retry_after >= 0 ? retry_after : status == 429 ? REPORT_PAUSE_S : -1;
    }
    if (seconds >= 0) {
        seconds = seconds < REPORT_PAUSE_MAX_S ? seconds : REPORT_PAUSE_MAX_S;
        limits->paused_until_us = now_us + seconds * second_us;
    }
}
