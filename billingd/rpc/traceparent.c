#include "billingd/rpc/traceparent.h"

enum {
    TRACE_ID_AT = 3,
    PARENT_ID_AT = 36,
    FLAGS_AT = 53,
};

/* Whether the N bytes at TEXT are lower-case hexadecimal digits; *RET_ZERO: all are '0'. */
static bool is_hex(const char *text, size_t n, bool *ret_zero)
{
    *ret_zero = true;
    for (size_t i = 0; i < n; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        if (!digit && !(text[i] >= 'a' && text[i] <= 'f')) {
            return false;
        }
        *ret_zero = *ret_zero && text[i] == '0';
    }
    return true;
}

bool traceparent_is_valid(struct slice text)
{
    const char *at = text.data;
    bool no_version;
    bool no_trace;
    bool no_parent;
    bool no_flags;
    if (text.length < TRACEPARENT_BYTES || at[TRACE_ID_AT - 1] != '-' ||
        at[PARENT_ID_AT - 1] != '-' || at[FLAGS_AT - 1] != '-') {
        return false;
    }
    if (!is_hex(at, 2, &no_version) || memcmp(at, "ff", 2) == 0 ||
        !is_hex(at + TRACE_ID_AT, 32, &no_trace) || no_trace ||
        !is_hex(at + PARENT_ID_AT, 16, &no_parent) || no_parent ||
        !is_hex(at + FLAGS_AT, 2, &no_flags)) {
        return false;
    }
    /* Version 00 ends here; a later one may go on behind another dash. */
    return text.length == TRACEPARENT_BYTES || (!no_version && at[TRACEPARENT_BYTES] == '-');
}
