#include "billingd/net/http_authorize.h"

#include <stdbool.h>

#include "billingd/net/http_text.h"

static bool is_token68(struct slice text)
{
    size_t end = text.length;
    while (end > 0 && text.data[end - 1] == '=') {
        end--;
    }
    for (size_t i = 0; i < end; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!plain && (c == '\0' || strchr("-._~+/", c) == NULL)) {
            return false;
        }
    }
    return end > 0;
}

struct slice http_authorize_token(struct slice value)
{
    if (value.data == NULL) {
        return (struct slice){0};
    }
    const char *blank = memchr(value.data, ' ', value.length);
    size_t length = blank == NULL ? value.length : (size_t)(blank - value.data);
    struct slice token = {value.data + length, value.length - length};
    while (token.length > 0 && token.data[0] == ' ') { /* 1*SP stands between */
        token.data++;
        token.length--;
    }
    bool bearer = http_is_word((struct slice){value.data, length}, "Bearer");
    return bearer && is_token68(token) ? token : SLICE("");
}
