#include "libbilling/src/failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *code;
    const char *title;
} table[] = {
    [FAULT_NONE] = {"", ""},
    [FAULT_CONNECT_FAILED] = {"connect_failed", "No connection to the daemon"},
    [FAULT_CONNECTION_LOST] = {"connection_lost", "Connection lost before the answer"},
    [FAULT_TIMEOUT] = {"timeout", "No answer in time"},
    [FAULT_BAD_REPLY] = {"bad_reply", "Answer not understood"},
    [FAULT_NO_MEMORY] = {"no_memory", "Out of memory"},
    [FAULT_ARGUMENT] = {"invalid_argument", "Called with a bad argument"},
    [FAULT_TOO_LARGE] = {"too_large", "Request too large"},
    [FAULT_NO_REQUEST_ID] = {"no_request_id", "No request id could be made"},
    [FAULT_TOKEN_FILE] = {"bad_token_file", "No token in the token file"},
};

void failure_set(struct failure *failure, enum fault fault, const char *format, ...)
{
    va_list arguments;
    failure->fault = fault;
    va_start(arguments, format);
    int n = vsnprintf(failure->detail, sizeof failure->detail, format, arguments);
    va_end(arguments);
    if (n < 0) {
        failure->detail[0] = '\0';
    }
}

void failure_set_system(struct failure *failure, enum fault fault, const char *prefix, int error)
{
    char buffer[128];
    failure_set(failure, fault, "%s: %s", prefix, strerror_r(error, buffer, sizeof buffer));
}

const char *failure_code(enum fault fault)
{
    return table[fault].code;
}

const char *failure_title(enum fault fault)
{
    return table[fault].title;
}
