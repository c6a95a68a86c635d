/* The one code space of the project.
 *
 * Every function that can fail returns 0 or one of these negative numbers.  The table says what
 * becomes of a code at the edge: its text on the wire, its HTTP status, its title for people, and
 * whether sending the same request again can help.  Shared by the daemon and the client library;
 * pure, any thread. */
#pragma once

#include <stdbool.h>

#define MUSTCHECK __attribute__((warn_unused_result))

/* For a result that may be ignored: say why beside it. */
#define IGNORE(expression)                                                                         \
    do {                                                                                           \
        if (expression) {                                                                          \
        }                                                                                          \
    } while (0)

/* X(name, number, code, HTTP status, retryable, title).  Numbers are never used again. */
#define STATUS_MAP(X)                                                                              \
    X(MALFORMED_HTTP, -1, "malformed_http", 400, false, "Not an acceptable HTTP request")          \
    X(MALFORMED_JSON, -2, "malformed_json", 400, false, "Not JSON")                                \
    X(INVALID_QUERY, -3, "invalid_query", 400, false, "Bad query")                                 \
    X(MALFORMED_FRAME, -4, "malformed_frame", 400, false, "Not an acceptable frame")               \
    X(UNKNOWN_METHOD, -5, "unknown_method", 400, false, "No such method")                          \
    X(UNAUTHENTICATED, -6, "unauthenticated", 401, false, "Who is asking is not known")            \
    X(FORBIDDEN, -7, "forbidden", 403, false, "Not allowed")                                       \
    X(HOST_NOT_ALLOWED, -50, "host_not_allowed", 403, false, "Not known by this name")             \
    X(ORIGIN_NOT_ALLOWED, -51, "origin_not_allowed", 403, false, "Not for pages of this origin")   \
    X(CUSTOMER_NOT_FOUND, -8, "customer_not_found", 404, false, "No such customer")                \
    X(USAGE_NOT_FOUND, -9, "usage_not_found", 404, false, "No such usage record")                  \
    X(REQUEST_NOT_FOUND, -10, "request_not_found", 404, false, "Nothing recorded under this id")   \
    X(PATH_NOT_FOUND, -11, "path_not_found", 404, false, "No such path")                           \
    X(METHOD_NOT_ALLOWED, -12, "method_not_allowed", 405, false, "Method not allowed here")        \
    X(REQUEST_TIMEOUT, -13, "request_timeout", 408, true, "The request took too long to arrive")   \
    X(EXTERNAL_ID_TAKEN, -14, "external_id_taken", 409, false, "External id taken")                \
    X(TOO_LARGE, -15, "too_large", 413, false, "Too large")                                        \
    X(URI_TOO_LONG, -16, "uri_too_long", 414, false, "Target too long")                            \
    X(UNSUPPORTED_MEDIA_TYPE, -17, "unsupported_media_type", 415, false, "Not JSON")               \
    X(EXPECTATION_FAILED, -18, "expectation_failed", 417, false, "Expectation cannot be met")      \
    X(HEAD_TOO_LARGE, -19, "head_too_large", 431, false, "Head too large")                         \
    X(INVALID_FIELDS, -20, "invalid_fields", 422, false, "Several fields are wrong")               \
    X(WRONG_TYPE, -21, "wrong_type", 422, false, "A field has the wrong type")                     \
    X(MISSING_FIELD, -22, "missing_field", 422, false, "A field is missing")                       \
    X(UNKNOWN_FIELD, -23, "unknown_field", 422, false, "A field is not known")                     \
    X(OUT_OF_BOUNDS, -24, "out_of_bounds", 422, false, "A field is out of bounds")                 \
    X(AMOUNT_TOO_LARGE, -25, "amount_too_large", 422, false, "Amount too large")                   \
    X(SERVICE_NOT_ALLOWED, -26, "service_not_allowed", 422, false, "Service not allowed")          \
    X(REQUEST_ID_REUSED, -27, "request_id_reused", 422, false, "Request id used before")           \
    X(TIME_OUT_OF_RANGE, -28, "time_out_of_range", 422, false, "Time out of range")                \
    X(RATE_LIMITED, -29, "rate_limited", 429, true, "Over the limit")                              \
    X(INTERNAL, -30, "internal", 500, false, "An error of ours")                                   \
    X(CORRUPT, -31, "storage_damaged", 500, false, "Stored data is damaged")                       \
    X(NOT_IMPLEMENTED, -32, "not_implemented", 501, false, "Not implemented")                      \
    X(BUSY, -33, "busy", 503, true, "Busy")                                                        \
    X(STORAGE_FULL, -34, "storage_full", 503, true, "Storage full")                                \
    X(SHUTTING_DOWN, -35, "shutting_down", 503, true, "Shutting down")                             \
    X(DEADLINE_EXCEEDED, -36, "deadline_exceeded", 503, true, "Not begun in time")                 \
    X(NOT_CONTIGUOUS, -38, "not_contiguous", 422, false, "Not contiguous")                         \
    X(PERIOD_NOT_CLOSED, -39, "period_not_closed", 422, false, "Period not closed")                \
    X(ALREADY_VOIDED, -40, "already_voided", 409, false, "Already voided")                         \
    X(ALREADY_FINALIZED, -41, "already_finalized", 409, false, "Already finalized")                \
    X(VOID_NOT_FOUND, -42, "void_not_found", 404, false, "Not voided")                             \
    X(INVOICE_NOT_FOUND, -43, "invoice_not_found", 404, false, "No such invoice")                  \
    X(SERVICE_NOT_FOUND, -44, "service_not_found", 404, false, "No such service")                  \
    X(KEY_EXISTS, -45, "key_exists", 409, false, "Key exists")                                     \
    X(KEY_NOT_FOUND, -46, "key_not_found", 404, false, "No such key")                              \
    X(TOO_MANY_KEYS, -47, "too_many_keys", 409, false, "Too many keys")                            \
    X(JOB_NOT_FOUND, -55, "job_not_found", 404, false, "No such job")                              \
    X(JOB_RUNNING, -56, "job_running", 409, false, "A job is running")                             \
    X(HTTP_VERSION, -37, "http_version_not_supported", 505, false, "HTTP version not supported")   \
    /* Not for the wire: what rooms tell each other. */                                            \
    X(NOT_FOUND, -64, "not_found", 404, false, "Not found")                                        \
    X(STORAGE_FAILED, -65, "storage_failed", 500, false, "Storage failed, outcome unknown")        \
    X(NO_MEMORY, -66, "no_memory", 503, true, "Out of memory")                                     \
    X(NEED_MORE, -67, "need_more", 500, false, "More bytes are needed")                            \
    X(OUTDATED, -68, "outdated", 503, true, "Prepared from a state that is no more")

enum status {
    STATUS_OK = 0,
#define STATUS_ENUM_ROW(name, number, code, http, retryable, title) STATUS_##name = (number),
    STATUS_MAP(STATUS_ENUM_ROW)
#undef STATUS_ENUM_ROW
};

struct status_info {
    int status;       /* enum status */
    const char *name; /* the wire's code, "request_id_reused" */
    int http;         /* HTTP status */
    bool retryable;   /* sending the same again can help */
    const char *title;
};

/* The row of STATUS.  Never NULL: a number that is not in the table gets the row of
 * STATUS_INTERNAL, since an answer must go out whatever happened.  Static memory. */
const struct status_info *status_info(int status);

/* The status whose code is the LENGTH bytes at CODE, or 0 where there is none. */
int status_from_code(const char *code, unsigned long length);
