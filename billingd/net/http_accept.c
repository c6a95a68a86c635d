#include "billingd/net/http_accept.h"

#include <stdbool.h>

#include "billingd/net/http_text.h"

enum {
    QUALITY_MAX = 1000,
};

static const char *const ranges[HTTP__MEDIA][3] = {
    [HTTP_MEDIA_JSON] = {"*/*", "application/*", "application/json"},
    [HTTP_MEDIA_CSV] = {"*/*", "text/*", "text/csv"},
};

static struct slice take_until(struct slice *text, char end)
{
    const char *at = text->length == 0 ? NULL : memchr(text->data, end, text->length);
    struct slice taken = {text->data, at == NULL ? text->length : (size_t)(at - text->data)};
    size_t length = taken.length + (at != NULL);
    text->data += length;
    text->length -= length;
    return http_trim(taken);
}

/* TEXT is a weight: "0.5", "1.000". */
static bool parse_quality(struct slice text, unsigned *ret)
{
    unsigned value = 0;
    unsigned unit = QUALITY_MAX;
    for (size_t i = 0; i < text.length; i++) {
        unsigned digit = (unsigned char)text.data[i] - (unsigned)'0';
        if (i == 1 ? text.data[i] != '.' : digit > 9 || unit == 0) {
            return false;
        }
        if (i != 1) {
            value += digit * unit;
            unit /= 10;
        }
    }
    *ret = value;
    return text.length > 0 && value <= QUALITY_MAX;
}

/* Of parameters only the weight counts: no other changes what is sent. */
static bool find_quality(struct slice parameters, unsigned *ret)
{
    *ret = QUALITY_MAX;
    while (parameters.length > 0) {
        struct slice value = take_until(&parameters, ';');
        struct slice name = take_until(&value, '=');
        if (http_is_word(name, "q")) {
            return parse_quality(value, ret);
        }
    }
    return true;
}

static void note_range(struct http_accept *accept, struct slice range, unsigned quality)
{
    for (unsigned m = 0; m < HTTP__MEDIA; m++) {
        for (unsigned precision = 3; precision > accept->media[m].precision; precision--) {
            if (http_is_word(range, ranges[m][precision - 1])) {
                accept->media[m].precision = precision;
                accept->media[m].quality = quality;
            }
        }
    }
}

void http_accept_note(struct http_accept *accept, struct slice value)
{
    while (value.length > 0) {
        struct slice parameters = take_until(&value, ',');
        struct slice range = take_until(&parameters, ';');
        unsigned quality;
        if (find_quality(parameters, &quality)) {
            note_range(accept, range, quality);
        }
    }
}

enum http_media http_accept_choose(const struct http_accept *accept)
{
    enum http_media best = HTTP_MEDIA_JSON;
    for (unsigned m = 0; m < HTTP__MEDIA; m++) {
        unsigned quality = accept->media[m].quality;
        unsigned most = accept->media[best].quality;
        bool more_precise = accept->media[m].precision > accept->media[best].precision;
        if (quality > most || (quality > 0 && quality == most && more_precise)) {
            best = m;
        }
    }
    return best;
}
