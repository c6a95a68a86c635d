#include "billingd/rpc/quote.h"

#include <string.h>

#include "proto/timestamp.h"

struct quote quote_text(struct slice text)
{
    struct quote quote;
    size_t length = text.length < QUOTE_BYTES ? text.length : QUOTE_BYTES;
    for (size_t i = 0; i < length; i++) {
        char c = text.data[i];
        quote.text[i] = (char)(c >= ' ' && c <= '~' ? c : '?');
    }
    quote.text[length] = '\0';
    if (length < text.length) {
        memcpy(quote.text + length, "...", 4);
    }
    return quote;
}

struct quote quote_time(int64_t time_us)
{
    _Static_assert(sizeof(struct quote) >= (size_t)TIMESTAMP_TEXT_MAX, "a time fits");
    struct quote quote;
    timestamp_print(time_us, quote.text);
    return quote;
}
