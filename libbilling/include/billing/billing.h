/* libbilling: record what customers used, exactly once, and read exact bills.
 *
 *     billing_client *client;
 *     billing_object *reply;
 *     billing_error *error;
 *     if (billing_client_new(NULL, &client) != 0) {
 *         return 1;
 *     }
 *     if (billing_customer_create(client, "Acme", NULL, NULL, &reply, &error) == 0) {
 *         printf("%s\n", billing_object_text(reply, "customer.id"));
 *     } else {
 *         fprintf(stderr, "%s\n", billing_error_message(error));
 *     }
 *     billing_object_free(reply);
 *     billing_error_free(error);
 *     billing_client_free(client);
 *
 * Handles are opaque; the library owns what they hold.  Every free function takes NULL.
 *
 * Text is UTF-8 and ends at a NUL byte; what is handed in is copied before the function returns.
 * Numbers (units, prices, amounts) are decimal text, "0.05", and never go through floating point.
 * Times are microseconds since 1970-01-01T00:00:00Z, durations are milliseconds.
 *
 * Functions that can fail return 0 or a negative BILLING_E_ number; where a handle that they need
 * is NULL, it is BILLING_E_ARGUMENT.
 *
 * Threads: billing_client is for any number of threads at once; each call uses a connection of its
 * own while it runs, from a few that are kept open.  A billing_object or billing_error never
 * changes: any number of threads may read one at once.  Every other handle (options, input, batch,
 * query) is for one thread at a time.  All functions may be used after fork(): the child opens
 * connections of its own and leaves the parent's alone.
 *
 * The library prints nothing, ends no process, touches no signal, reads the environment only where
 * a function says so, and keeps nothing global but the shared client. */
#ifndef BILLING_BILLING_H
#define BILLING_BILLING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <billing/api.h>
#include <billing/values.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- results of functions --------------------------------------------------------------------- */

/* Never renumbered; a later version may add some. */
enum {
    BILLING_OK = 0,
    BILLING_E_NO_MEMORY = -1, /* out of memory; of a call: and nothing recorded */
    BILLING_E_ARGUMENT = -2,  /* an argument is not what the function takes */
    BILLING_E_RANGE = -3,     /* well formed, but outside the bounds */
    BILLING_E_FULL = -4,      /* no more fits in */
    BILLING_E_STATE = -5,     /* too late, or too early, for this */
    BILLING_E_SYSTEM = -6,    /* the operating system refused what was needed */

    /* Of calls to the daemon: the three that a program must tell apart. */
    BILLING_E_NOT_RECORDED = -16, /* certainly nothing recorded, and trying again may help: no byte
                                     of any try was sent, or the daemon said so of each */
    BILLING_E_REFUSED = -17,      /* certainly nothing recorded: the daemon says no to the content,
                                     to who asks, or to what it is about */
    BILLING_E_UNKNOWN = -18       /* recorded or not: no answer came that would tell.  The same
                                     call with the same request id settles it */
};

/* Bounds. */
enum {
    BILLING_REQUEST_ID_BYTES_MAX = 128, /* of a request id, without its NUL */
    BILLING_BATCH_ITEMS_MAX = 10000,    /* of a usage batch */
    BILLING_LABELS_MAX = 16,            /* of one usage record */
    BILLING_PAGE_MAX = 1000,            /* rows of one page of a list */
    BILLING_TIME_TEXT_MAX = 32,         /* of a time in text, with its NUL */
    BILLING_DECIMAL_TEXT_MAX = 48,      /* of a decimal in canonical text, with its NUL */
    BILLING_TRACEPARENT_BYTES = 55      /* of a traceparent, without its NUL */
};

/* What STATUS, a result of a function of this library, means, in a few English words.
 * Static memory, never NULL.  Any thread. */
BILLING_API const char *billing_strerror(int status);

/* The version of the library that runs, "0.1.0".  Static memory.  Any thread. */
BILLING_API const char *billing_version(void);

/* --- handles ---------------------------------------------------------------------------------- */

typedef struct billing_options billing_options;
typedef struct billing_client billing_client;
typedef struct billing_error billing_error;
typedef struct billing_object billing_object;
typedef struct billing_usage_input billing_usage_input;
typedef struct billing_usage_batch billing_usage_batch;
typedef struct billing_adjustment_input billing_adjustment_input;
typedef struct billing_query billing_query;

/* --- options ---------------------------------------------------------------------------------- */

/* How much a log line matters. */
typedef enum billing_log_level {
    BILLING_LOG_DEBUG = 0,  /* connections opened and closed */
    BILLING_LOG_WARNING = 1 /* a try failed and will be repeated, or was the last */
} billing_log_level;

/* Takes one log line of a client: MESSAGE is one line of text without a newline, valid during the
 * callback only, and holds no payload and no token.  Runs on the thread that makes the call, so it
 * may run on several threads at once; it may call the library, also the same client. */
typedef void (*billing_log_fn)(billing_log_level level, const char *message, void *arg);

/* Writes a new request id, 1 to 128 bytes of printable ASCII and a NUL, into BUFFER of
 * BILLING_REQUEST_ID_BYTES_MAX + 1 bytes.  Returns 0, or anything else to make the call fail with
 * BILLING_E_SYSTEM before anything is sent.  Runs as billing_log_fn does. */
typedef int (*billing_request_id_fn)(char *buffer, void *arg);

/* Writes the traceparent (W3C Trace Context) of what the calling thread is at into BUFFER of
 * BILLING_TRACEPARENT_BYTES + 1 bytes, and returns 0; anything else where there is none, and the
 * call carries none.  Runs as billing_log_fn does, once a call. */
typedef int (*billing_traceparent_fn)(char *buffer, void *arg);

/* New options with every default; reads no environment.  Free with billing_options_free().
 * Returns NULL if out of memory.  Any thread. */
BILLING_API billing_options *billing_options_new(void);

/* Free OPTIONS.  Clients made of them are not touched: they have copies. */
BILLING_API void billing_options_free(billing_options *options);

/* Where the daemon listens: "unix:///path/of/socket", "tcp://host:port" or "tcp://[ip6]:port".
 * NULL, the default, stands for the daemon's own default places, taken when a client is made:
 * billingd.sock in $RUNTIME_DIRECTORY, in $XDG_RUNTIME_DIR and in /run/billingd; each connection
 * goes to the first of them where a daemon listens.
 * Resolving a host name is left to the system's resolver, which knows no deadline: where a call
 * must keep its deadline whatever the resolver does, give an address.
 * Returns 0, BILLING_E_ARGUMENT (no such URL) or BILLING_E_NO_MEMORY.  One thread at a time. */
BILLING_API int billing_options_set_url(billing_options *options, const char *url);

/* How long a whole call may take, in milliseconds: connecting, all tries and the waits between
 * them.  1 to 604800000 (a week); default 30000.
 * Returns 0, or BILLING_E_RANGE.  One thread at a time. */
BILLING_API int billing_options_set_timeout_ms(billing_options *options, int64_t timeout_ms);

/* How long one try of a call may take, in milliseconds, before its connection counts as lost and
 * the next try may follow.  1 to 604800000; default 10000.  The call's own deadline comes first.
 * Returns 0, or BILLING_E_RANGE.  One thread at a time. */
BILLING_API int billing_options_set_try_timeout_ms(billing_options *options, int64_t timeout_ms);

/* How often a call is tried again: 0 to 100, default 3.  Tried again is what cannot have been
 * refused (no connection, connection lost, no answer in time, daemon busy, a limit reached), never
 * what was refused for its content, for who asks or for what it is about.  Each try has the first
 * one's request id.  Returns 0, or BILLING_E_RANGE.  One thread at a time. */
BILLING_API int billing_options_set_retries_max(billing_options *options, int retries_max);

/* The base of the waits between tries, in milliseconds: 0 to 60000, default 1000.  Before retry n
 * (from 1) the call waits a random time between 0 and base * 2^(n-1), at most 30 s, or longer
 * where the daemon asks for it; but a try on a kept connection that turns out dead is followed by
 * the next without a wait.  A wait that would pass the deadline ends the call instead.
 * Returns 0, or BILLING_E_RANGE.  One thread at a time. */
BILLING_API int billing_options_set_retry_delay_ms(billing_options *options, int64_t delay_ms);

/* The largest frame, sent or received, in bytes: 65536 to 1073741824, default 16777216.  To be
 * changed together with the daemon's own.
 * Returns 0, or BILLING_E_RANGE.  One thread at a time. */
BILLING_API int billing_options_set_frame_bytes_max(billing_options *options, size_t bytes);

/* The secret that says who asks, an API key: 1 to 4096 bytes of printable ASCII, or NULL for none
 * (the default).  It goes out with each request, and over TCP as it is: who can read the wire can
 * use it.  No error and no log line has it, and it is overwritten in memory when the options, and
 * the clients made of them, are freed.  It takes the place of a token file, too.
 * Returns 0, BILLING_E_ARGUMENT or BILLING_E_NO_MEMORY.  One thread at a time. */
BILLING_API int billing_options_set_token(billing_options *options, const char *token);

/* The same, in the file at PATH: all of it but one newline at its end.  The file is read when a
 * connection is opened, and again where the daemon does not know the token of one that was kept: so
 * a key can be replaced while programs run, and no call fails for it.  It must be a regular file
 * that only its owner may read; where it is not, or holds no token, calls fail with
 * BILLING_E_ARGUMENT ("bad_token_file"), with nothing sent.  NULL: none (the default).  It takes
 * the place of a token that was set, too.
 * Returns 0, BILLING_E_ARGUMENT ("", or no options) or BILLING_E_NO_MEMORY.  One thread at a
 * time. */
BILLING_API int billing_options_set_token_file(billing_options *options, const char *path);

/* The trace that all calls are a part of, for the daemon's log: a traceparent as W3C Trace Context
 * has it, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", or NULL for none (the
 * default).  Returns 0 or BILLING_E_ARGUMENT.  One thread at a time. */
BILLING_API int billing_options_set_traceparent(billing_options *options, const char *traceparent);

/* The same for programs whose calls are parts of many traces: FIND is asked at each call, with ARG,
 * which must stay valid as long as the clients made of these options; what it writes and is no
 * traceparent is left out.  NULL, the default: nobody is asked.  One thread at a time. */
BILLING_API void billing_options_set_traceparent_finder(billing_options *options,
                                                        billing_traceparent_fn find, void *arg);

/* Who gets the log lines: LOG is called with ARG, which must stay valid as long as the clients made
 * of these options.  NULL, the default: nobody.  One thread at a time. */
BILLING_API void billing_options_set_log(billing_options *options, billing_log_fn log, void *arg);

/* What makes request ids where a call is given none: MAKE is called with ARG, which must stay valid
 * as long as the clients made of these options.  NULL, the default: billing_request_id_new().
 * One thread at a time. */
BILLING_API void billing_options_set_request_id_maker(billing_options *options,
                                                      billing_request_id_fn make, void *arg);

/* Read the environment into OPTIONS: $BILLING_URL, $BILLING_TOKEN, else $BILLING_TOKEN_FILE, else
 * the file billing-token in $CREDENTIALS_DIRECTORY (systemd's LoadCredential=) if there is one, and
 * $BILLING_TIMEOUT (a duration as billing_duration_parse() takes it).  What is not set, or is
 * empty, leaves its option alone.  In a set-user-id program nothing is read.
 * Returns 0; on failure what the option's own function returns, and *RET_VARIABLE, where given, is
 * the name of the variable at fault (static memory).  Not while another thread changes the
 * environment. */
BILLING_API int billing_options_from_environment(billing_options *options,
                                                 const char **ret_variable);

/* --- clients ---------------------------------------------------------------------------------- */

/* Make a client of OPTIONS (NULL: every default), which are copied.  Opens no connection: that is
 * done when one is needed.  Reads the environment for the default places of the socket only, see
 * billing_options_set_url().
 * On 0 *RET_CLIENT is to be freed with billing_client_free(), else it is NULL.
 * Returns 0, BILLING_E_ARGUMENT or BILLING_E_NO_MEMORY.  Any thread. */
BILLING_API int billing_client_new(const billing_options *options, billing_client **ret_client);

/* Close CLIENT's connections and free it; no call may be using it.  Does nothing to the shared
 * client. */
BILLING_API void billing_client_free(billing_client *client);

/* The client that is shared by the whole process, made at its first use of the options that
 * billing_client_shared_configure() was given, else of the environment as
 * billing_options_from_environment() reads it.  It is never freed.
 * Returns NULL if out of memory or if the environment is not acceptable; calls with a NULL client
 * fail with BILLING_E_ARGUMENT.  Any thread, also for the first time on several at once. */
BILLING_API billing_client *billing_client_shared(void);

/* Make the shared client of OPTIONS (NULL: every default), before anyone used it.
 * Returns 0, BILLING_E_STATE if it is there already, or as billing_client_new().  Any thread. */
BILLING_API int billing_client_shared_configure(const billing_options *options);

/* Where CLIENT looks for the daemon, for messages: its URL, or the first of the default places as
 * one.  Valid until the client is freed; NULL for NULL.  Any thread. */
BILLING_API const char *billing_client_url(const billing_client *client);

/* --- calls ------------------------------------------------------------------------------------ */

/* Common to all calls:
 *
 * They send one request to the daemon and wait for the answer, at most until the deadline of the
 * client's options, trying again as the options say.
 *
 * RET_REPLY may be NULL.  On 0 *RET_REPLY is the reply, to be freed with billing_object_free(),
 * else it is NULL.  A reply's members, and its JSON text, are those of the REST call of the same
 * name; each function says which there are.
 *
 * RET_ERROR may be NULL.  On failure *RET_ERROR is the error, to be freed with
 * billing_error_free(); on 0, or where no memory is left even for an error, it is NULL.
 *
 * They return 0, BILLING_E_NOT_RECORDED, BILLING_E_REFUSED, BILLING_E_UNKNOWN (only calls that
 * write), BILLING_E_NO_MEMORY, BILLING_E_ARGUMENT or BILLING_E_SYSTEM.
 *
 * Any thread; CLIENT may be in use by others at the same time.  Signals do not interrupt them.
 *
 * A text argument that is NULL is left out of the request; where the daemon needs it, it says so
 * (BILLING_E_REFUSED, "missing_field", or "invalid_query" by calls that only read).  Wherever a
 * customer id is taken, "external:" followed by the customer's external id will do.
 *
 * Calls that record something (usage, a void, an adjustment, an invoice, a customer) do so once for
 * each request id: the same on every try of the same thing, also by another process; NULL: one is
 * made for the call. */

/* Create a customer called NAME, with EXTERNAL_ID or NULL for none.  REQUEST_ID makes it happen
 * once: the same on every try of the same customer, also by another process; NULL: one is made.
 * Reply: {"customer": {"id", "name", "external_id", "created_at", "updated_at"}}. */
BILLING_API int billing_customer_create(billing_client *client, const char *name,
                                        const char *external_id, const char *request_id,
                                        billing_object **ret_reply, billing_error **ret_error);

/* The customer with CUSTOMER_ID.  Reply: {"customer": {...}}. */
BILLING_API int billing_customer_get(billing_client *client, const char *customer_id,
                                     billing_object **ret_reply, billing_error **ret_error);

/* A page of the customers that QUERY asks for (external_id, limit, cursor), NULL: the first ones.
 * Reply: {"customers": [{...}, ...], "next_cursor"}; there are more while next_cursor is there. */
BILLING_API int billing_customer_list(billing_client *client, const billing_query *query,
                                      billing_object **ret_reply, billing_error **ret_error);

/* Give the customer with CUSTOMER_ID the new NAME.  Takes no request id: doing it again changes
 * nothing.  Reply: {"customer": {...}}. */
BILLING_API int billing_customer_rename(billing_client *client, const char *customer_id,
                                        const char *name, billing_object **ret_reply,
                                        billing_error **ret_error);

/* Record one usage, INPUT.  Without a request id of its own one is made.
 * Reply: {"usage": {"id", "customer_id", "service", "units_consumed", "price_per_unit", "amount",
 * "occurred_at", "created_at", "bills_at", "late", "request_id", "recorded_by", "labels"}}. */
BILLING_API int billing_usage_create(billing_client *client, const billing_usage_input *input,
                                     billing_object **ret_reply, billing_error **ret_error);

/* The plain case of billing_usage_create(): record UNITS_CONSUMED of SERVICE at PRICE_PER_UNIT for
 * the customer with CUSTOMER_ID, now, under a request id that is made, and forget the reply. */
BILLING_API int billing_usage_record(billing_client *client, const char *customer_id,
                                     const char *service, const char *units_consumed,
                                     const char *price_per_unit, billing_error **ret_error);

/* Record what is in BATCH; items stand alone, one that is refused does not hinder the others, so
 * look at each result.
 * Reply: {"results": [{"status", "id", "bills_at", "late", "problem"}, ...]}, one an item, in
 * order: status is "recorded", "replayed" (by an earlier try, or earlier in the batch) or
 * "refused", and then "problem.code", "problem.detail" say why.  An empty batch is refused. */
BILLING_API int billing_usage_batch_create(billing_client *client, const billing_usage_batch *batch,
                                           billing_object **ret_reply, billing_error **ret_error);

/* The usage record with USAGE_ID of the customer with CUSTOMER_ID.  Reply: {"usage": {...}}. */
BILLING_API int billing_usage_get(billing_client *client, const char *customer_id,
                                  const char *usage_id, billing_object **ret_reply,
                                  billing_error **ret_error);

/* A page of the usage records of the customer with CUSTOMER_ID that QUERY asks for (start, end, by,
 * service, limit, cursor), NULL: the first ones; by time, then by id.
 * Reply: {"usage": [{...}, ...], "next_cursor"}. */
BILLING_API int billing_usage_list(billing_client *client, const char *customer_id,
                                   const billing_query *query, billing_object **ret_reply,
                                   billing_error **ret_error);

/* What the customer with CUSTOMER_ID used, added up by the hour, the day or the month in UTC, as
 * QUERY asks (start, end, by, window, group_by_service, include_empty, service, limit, cursor),
 * NULL: all of it by the day; voids taken away.  A page may have fewer rows than its limit, or
 * none, and more behind it.
 * Reply: {"summary": {"customer_id", "start", "end", "by", "window", "rows": [{"start", "end",
 * "service", "units_consumed", "exact_amount", "records", "voided", "late"}, ...]},
 * "next_cursor"}. */
BILLING_API int billing_usage_summary(billing_client *client, const char *customer_id,
                                      const billing_query *query, billing_object **ret_reply,
                                      billing_error **ret_error);

/* Take back the usage record with USAGE_ID of the customer with CUSTOMER_ID, for REASON (1 to 1,024
 * bytes), under REQUEST_ID: the record stays as it is, and the void cancels it on the bill.  The
 * second time it is refused: "already_voided", and billing_error_existing_id() is the void.
 * Reply: {"void": {"id", "customer_id", "usage_id", "reason", "amount", "created_at", "bills_at",
 * "request_id", "recorded_by"}}. */
BILLING_API int billing_usage_void(billing_client *client, const char *customer_id,
                                   const char *usage_id, const char *reason, const char *request_id,
                                   billing_object **ret_reply, billing_error **ret_error);

/* The void of the usage record with USAGE_ID.  Refused ("void_not_found") where it is not voided.
 * Reply: {"void": {...}}. */
BILLING_API int billing_void_get(billing_client *client, const char *customer_id,
                                 const char *usage_id, billing_object **ret_reply,
                                 billing_error **ret_error);

/* Record one adjustment, INPUT: a credit or a charge of an exact amount.
 * Reply: {"adjustment": {"id", "customer_id", "amount", "reason", "service", "occurred_at",
 * "created_at", "bills_at", "late", "request_id", "recorded_by"}}. */
BILLING_API int billing_adjustment_create(billing_client *client,
                                          const billing_adjustment_input *input,
                                          billing_object **ret_reply, billing_error **ret_error);

/* A page of the adjustments of the customer with CUSTOMER_ID that QUERY asks for (start, end, by,
 * service, limit, cursor), NULL: the first ones; by time, then by id.
 * Reply: {"adjustments": [{...}, ...], "next_cursor"}. */
BILLING_API int billing_adjustment_list(billing_client *client, const char *customer_id,
                                        const billing_query *query, billing_object **ret_reply,
                                        billing_error **ret_error);

/* The bill of the customer with CUSTOMER_ID over the window that QUERY asks for (start, end; limit
 * and cursor page its lines and adjustments), NULL or without start and end: the current bill.
 * Reply: {"bill": {"customer_id", "start", "end", "currency", "lines": [{"service",
 * "price_per_unit", "units_consumed", "exact_amount", "amount", "records", "voided", "late"}, ...],
 * "adjustments": [{"id", "service", "exact_amount", "amount", "reason", "occurred_at"}, ...],
 * "exact_total", "total", "rounding"}, "next_cursor"}; the totals on each page are of the whole. */
BILLING_API int billing_bill_get(billing_client *client, const char *customer_id,
                                 const billing_query *query, billing_object **ret_reply,
                                 billing_error **ret_error);

/* A page of every customer's totals over the window that QUERY asks for (start, end, limit,
 * cursor); with an end and no start, of each customer that has any what no invoice has billed yet;
 * NULL or with neither, of the current bills.
 * Reply: {"bills": [{"customer_id", "name", "external_id", "start", "end", "currency", "lines",
 * "records", "voided", "late", "adjustments", "exact_total", "total", "rounding",
 * "problem"}, ...], "next_cursor"}; lines and adjustments are counts here.  "problem" is the code
 * of why that customer's bill cannot be added up, which then has no counts and totals; else it is
 * not set. */
BILLING_API int billing_bill_list(billing_client *client, const billing_query *query,
                                  billing_object **ret_reply, billing_error **ret_error);

/* A page of the records behind a bill of the customer with CUSTOMER_ID, or behind one of its lines,
 * as QUERY asks (start, end, service, price, limit, cursor), NULL or without start and end: the
 * current bill; by the time when they count for bills, then by id.  Of a service there are the
 * adjustments that name it too, at a price there is usage and its voids alone.
 * Reply: {"records": [{"kind", "id", "usage_id", "service", "price_per_unit", "units_consumed",
 * "exact_amount", "occurred_at", "bills_at", "created_at", "late", "reason", "request_id",
 * "recorded_by"}, ...], "next_cursor"}: kind is "usage", "void" or "adjustment". */
BILLING_API int billing_bill_records(billing_client *client, const char *customer_id,
                                     const billing_query *query, billing_object **ret_reply,
                                     billing_error **ret_error);

/* Make an invoice, under REQUEST_ID, of what the customer with CUSTOMER_ID owes for the window that
 * QUERY asks for (end; start, which is the end of the last invoice where it is left out): it never
 * changes again.  Refused ("already_finalized", and billing_error_existing_id() is the number)
 * where there is one of that very window, "period_not_closed" before its end, "not_contiguous"
 * where the window would leave a record out.
 * Reply: {"invoice": {"number", "customer_id", "start", "end", "currency", "lines": [...],
 * "adjustments": [...], "exact_total", "total", "rounding", "finalized_at", "journal_position",
 * "digest", "request_id", "recorded_by"}, "next_cursor"}: lines and adjustments as of a bill; where
 * there is a next_cursor, billing_invoice_get() has the rest of them. */
BILLING_API int billing_invoice_finalize(billing_client *client, const char *customer_id,
                                         const billing_query *query, const char *request_id,
                                         billing_object **ret_reply, billing_error **ret_error);

/* The invoice with NUMBER; QUERY (limit, cursor), NULL: from the start, pages its lines, then its
 * adjustments.  Reply: {"invoice": {...}, "next_cursor"}. */
BILLING_API int billing_invoice_get(billing_client *client, uint64_t number,
                                    const billing_query *query, billing_object **ret_reply,
                                    billing_error **ret_error);

/* A page of the invoices of the customer with CUSTOMER_ID, or with NULL of every customer, that
 * QUERY asks for (limit, cursor), NULL: the first ones; by number.
 * Reply: {"invoices": [{"number", "customer_id", "start", "end", "currency", "exact_total",
 * "total", "rounding", "finalized_at", "journal_position", "digest"}, ...], "next_cursor"}. */
BILLING_API int billing_invoice_list(billing_client *client, const char *customer_id,
                                     const billing_query *query, billing_object **ret_reply,
                                     billing_error **ret_error);

/* Have the invoice with NUMBER computed again from the records.  That it differs is a reply too.
 * Reply: {"verification": {"number", "verified", "records", "digest", "differences": [{"what",
 * "invoice", "computed"}, ...]}}, with up to 100 differences. */
BILLING_API int billing_invoice_verify(billing_client *client, uint64_t number,
                                       billing_object **ret_reply, billing_error **ret_error);

/* Put the service called NAME into the catalogue, or change what is there of it, with the name of
 * its UNIT or NULL for none.  Takes no request id: doing it again changes nothing.
 * Reply: {"service": {"name", "unit", "created_at", "updated_at"}}. */
BILLING_API int billing_service_put(billing_client *client, const char *name, const char *unit,
                                    billing_object **ret_reply, billing_error **ret_error);

/* The service called NAME.  Refused ("service_not_found") where it is not in the catalogue.
 * Reply: {"service": {...}}. */
BILLING_API int billing_service_get(billing_client *client, const char *name,
                                    billing_object **ret_reply, billing_error **ret_error);

/* Take the service called NAME out of the catalogue; what is recorded of it stays.  Takes no
 * request id.  Refused ("service_not_found") where it is not there, perhaps because a try whose
 * answer was lost has taken it out.  Reply: {}. */
BILLING_API int billing_service_delete(billing_client *client, const char *name,
                                       billing_object **ret_reply, billing_error **ret_error);

/* A page of the catalogue that QUERY asks for (limit, cursor), NULL: the first ones; by name.
 * Reply: {"services": [{...}, ...], "next_cursor"}. */
BILLING_API int billing_service_list(billing_client *client, const billing_query *query,
                                     billing_object **ret_reply, billing_error **ret_error);

/* What became of REQUEST_ID, used for the customer with CUSTOMER_ID, or NULL: used to create a
 * customer.  Refused ("request_not_found") where nothing is recorded under it.
 * Reply: {"request": {"request_id", "customer_id", "method", "id", "created_at"}}. */
BILLING_API int billing_request_get(billing_client *client, const char *customer_id,
                                    const char *request_id, billing_object **ret_reply,
                                    billing_error **ret_error);

/* What the daemon says of itself.
 * Reply: {"server": {"version", "store", "currency", "started_at", "journal_position", ...}}. */
BILLING_API int billing_server_info(billing_client *client, billing_object **ret_reply,
                                    billing_error **ret_error);

/* Whether the daemon takes work.  Reply: {"status", "ready"}. */
BILLING_API int billing_server_health(billing_client *client, billing_object **ret_reply,
                                      billing_error **ret_error);

/* --- usage to be recorded --------------------------------------------------------------------- */

/* A usage record to be: fields that are not set are left out of the request.
 *
 * A setter that fails for want of memory also makes the call that uses the input, or adding it to a
 * batch, fail with BILLING_E_NO_MEMORY; so a program may check there alone.  Content is checked by
 * the daemon, which names every wrong field at once.  One thread at a time. */

/* An empty input, to be freed with billing_usage_input_free().  NULL if out of memory. */
BILLING_API billing_usage_input *billing_usage_input_new(void);

/* Free INPUT. */
BILLING_API void billing_usage_input_free(billing_usage_input *input);

/* Make INPUT empty, for the next record. */
BILLING_API void billing_usage_input_clear(billing_usage_input *input);

/* Who used it: a customer's id, or "external:" and an external id.  NULL: not set.
 * Returns 0, BILLING_E_NO_MEMORY or BILLING_E_ARGUMENT (no input). */
BILLING_API int billing_usage_input_set_customer(billing_usage_input *input,
                                                 const char *customer_id);

/* What was used, 1 to 256 bytes.  NULL: not set.  Returns as the setter above. */
BILLING_API int billing_usage_input_set_service(billing_usage_input *input, const char *service);

/* How much, a decimal >= 0 of at most 18 significant and 18 fraction digits.  NULL: not set.
 * Returns as the setter above. */
BILLING_API int billing_usage_input_set_units(billing_usage_input *input,
                                              const char *units_consumed);

/* The price of one unit, a decimal as the units.  NULL: not set.  Returns as the setter above. */
BILLING_API int billing_usage_input_set_price(billing_usage_input *input,
                                              const char *price_per_unit);

/* When it was used.  Not set: when the daemon receives it.
 * Returns 0, BILLING_E_RANGE (before 1970 or after 9999) or BILLING_E_ARGUMENT (no input). */
BILLING_API int billing_usage_input_set_time_us(billing_usage_input *input, int64_t occurred_at_us);

/* What makes it happen once: the same on every try of the same record, also by another process;
 * 1 to 128 bytes of printable ASCII.  NULL: not set.  Returns as the first setter. */
BILLING_API int billing_usage_input_set_request_id(billing_usage_input *input,
                                                   const char *request_id);

/* Add the label NAME with VALUE: up to 16, names to 64 and values to 1024 bytes.
 * Returns 0, BILLING_E_FULL at the 17th, BILLING_E_NO_MEMORY or BILLING_E_ARGUMENT (NULL). */
BILLING_API int billing_usage_input_add_label(billing_usage_input *input, const char *name,
                                              const char *value);

/* An empty batch, to be freed with billing_usage_batch_free().  NULL if out of memory.  A batch is
 * for one thread at a time; one call may use it, and use it again. */
BILLING_API billing_usage_batch *billing_usage_batch_new(void);

/* Free BATCH. */
BILLING_API void billing_usage_batch_free(billing_usage_batch *batch);

/* Make BATCH empty, without a request id, for the next items. */
BILLING_API void billing_usage_batch_clear(billing_usage_batch *batch);

/* Add a copy of INPUT, which stays the caller's.
 * Returns 0; BILLING_E_FULL, with the batch as it was, where it has BILLING_BATCH_ITEMS_MAX items
 * or the item would not fit into a frame of the default size with the others; BILLING_E_NO_MEMORY
 * or BILLING_E_ARGUMENT (NULL). */
BILLING_API int billing_usage_batch_add(billing_usage_batch *batch,
                                        const billing_usage_input *input);

/* How many items BATCH has.  0 for NULL. */
BILLING_API size_t billing_usage_batch_count(const billing_usage_batch *batch);

/* The request id of the batch: items without one of their own get it with "/<index>" behind it.
 * NULL: not set, one is made for each call where an item needs it; then BILLING_E_UNKNOWN is
 * settled by setting billing_error_request_id() here and calling again.
 * Returns 0, BILLING_E_ARGUMENT (not 1 to 128 bytes, or no batch). */
BILLING_API int billing_usage_batch_set_request_id(billing_usage_batch *batch,
                                                   const char *request_id);

/* --- an adjustment to be recorded ------------------------------------------------------------- */

/* An adjustment to be: as a usage input, fields that are not set are left out of the request, and a
 * setter that fails for want of memory also makes the call that uses the input fail with
 * BILLING_E_NO_MEMORY.  One thread at a time. */

/* An empty input, to be freed with billing_adjustment_input_free().  NULL if out of memory. */
BILLING_API billing_adjustment_input *billing_adjustment_input_new(void);

/* Free INPUT. */
BILLING_API void billing_adjustment_input_free(billing_adjustment_input *input);

/* Make INPUT empty, for the next adjustment. */
BILLING_API void billing_adjustment_input_clear(billing_adjustment_input *input);

/* Whose bill: a customer's id, or "external:" and an external id.  NULL: not set.
 * Returns 0, BILLING_E_NO_MEMORY or BILLING_E_ARGUMENT (no input). */
BILLING_API int billing_adjustment_input_set_customer(billing_adjustment_input *input,
                                                      const char *customer_id);

/* What it adds to the bill: a decimal of at most 18 significant and 18 fraction digits and below
 * 10^15, a credit if it is negative.  NULL: not set.  Returns as the setter above. */
BILLING_API int billing_adjustment_input_set_amount(billing_adjustment_input *input,
                                                    const char *amount);

/* Why, for people, 1 to 1,024 bytes.  NULL: not set.  Returns as the setter above. */
BILLING_API int billing_adjustment_input_set_reason(billing_adjustment_input *input,
                                                    const char *reason);

/* Of which service, 1 to 256 bytes.  NULL: of none.  Returns as the setter above. */
BILLING_API int billing_adjustment_input_set_service(billing_adjustment_input *input,
                                                     const char *service);

/* When it is from.  Not set: when the daemon receives it.
 * Returns 0, BILLING_E_RANGE (before 1970 or after 9999) or BILLING_E_ARGUMENT (no input). */
BILLING_API int billing_adjustment_input_set_time_us(billing_adjustment_input *input,
                                                     int64_t occurred_at_us);

/* What makes it happen once, 1 to 128 bytes of printable ASCII.  NULL: not set, one is made for
 * each call.  Returns as the first setter. */
BILLING_API int billing_adjustment_input_set_request_id(billing_adjustment_input *input,
                                                        const char *request_id);

/* --- what to list ----------------------------------------------------------------------------- */

/* The time by which usage and adjustments are chosen and sorted. */
typedef enum billing_clock {
    BILLING_BY_OCCURRED = 1, /* when it was used */
    BILLING_BY_BILLED = 2    /* when it counts for bills */
} billing_clock;

/* What is added up into one row of a summary, in UTC. */
typedef enum billing_window {
    BILLING_WINDOW_HOUR = 1,
    BILLING_WINDOW_DAY = 2,
    BILLING_WINDOW_MONTH = 3
} billing_window;

/* Which part of a list is wanted.  Each call says which fields it takes; it refuses others with
 * BILLING_E_ARGUMENT.  A query may be used for many calls.  One thread at a time. */

/* A query for everything, to be freed with billing_query_free().  NULL if out of memory. */
BILLING_API billing_query *billing_query_new(void);

/* Free QUERY. */
BILLING_API void billing_query_free(billing_query *query);

/* From START_US on.  Returns 0, BILLING_E_RANGE (before 1970 or after 9999) or
 * BILLING_E_ARGUMENT (no query). */
BILLING_API int billing_query_set_start_us(billing_query *query, int64_t start_us);

/* Until just before END_US.  Returns as billing_query_set_start_us(). */
BILLING_API int billing_query_set_end_us(billing_query *query, int64_t end_us);

/* By which time.  The default is BILLING_BY_OCCURRED.  Returns 0 or BILLING_E_ARGUMENT. */
BILLING_API int billing_query_set_by(billing_query *query, billing_clock by);

/* Only what is of SERVICE.  NULL: not set.  Returns 0, BILLING_E_NO_MEMORY or
 * BILLING_E_ARGUMENT (no query). */
BILLING_API int billing_query_set_service(billing_query *query, const char *service);

/* Only what is at the price PRICE_PER_UNIT, a decimal: of a service, so with
 * billing_query_set_service().  NULL: not set.  Returns as billing_query_set_service(). */
BILLING_API int billing_query_set_price(billing_query *query, const char *price_per_unit);

/* By which windows of time.  The default is BILLING_WINDOW_DAY.
 * Returns 0 or BILLING_E_ARGUMENT. */
BILLING_API int billing_query_set_window(billing_query *query, billing_window window);

/* Whether each service has rows of its own.  The default is that one row has all services.
 * Returns 0 or BILLING_E_ARGUMENT (no query). */
BILLING_API int billing_query_set_group_by_service(billing_query *query, bool group);

/* Whether there are rows of zero for windows without usage; the query needs a start and an end
 * then.  The default is that there are none.  Returns 0 or BILLING_E_ARGUMENT (no query). */
BILLING_API int billing_query_set_include_empty(billing_query *query, bool include);

/* Only the customer with EXTERNAL_ID.  NULL: not set.  Returns as billing_query_set_service(). */
BILLING_API int billing_query_set_external_id(billing_query *query, const char *external_id);

/* At most LIMIT rows, 1 to BILLING_PAGE_MAX; the daemon's default is 100.
 * Returns 0, BILLING_E_RANGE or BILLING_E_ARGUMENT (no query). */
BILLING_API int billing_query_set_limit(billing_query *query, uint32_t limit);

/* Go on where a page with this "next_cursor" ended; the other fields must be as they were for that
 * page.  NULL: from the start.  Returns as billing_query_set_service(). */
BILLING_API int billing_query_set_cursor(billing_query *query, const char *cursor);

/* --- replies ---------------------------------------------------------------------------------- */

/* An object is a reply or a part of one: a customer, a bill, a line of it.  A `billing_object *`
 * is a whole reply and the caller's to free; a `const billing_object *` is a part that lives, with
 * every text gotten from it, until its reply is freed.
 *
 * PATH names a member, or one in an object within: "total", "customer.id", "problem.code".  Lists
 * are reached by index, through billing_object_item().  Functions that read take a NULL object and
 * any path: what is not there reads as NULL, 0 or false.  Reading allocates nothing and cannot
 * fail.  Any thread, any number at once. */

/* What a member is. */
typedef enum billing_field_kind {
    BILLING_FIELD_NONE = 0,   /* there is no member of this name in objects of this sort */
    BILLING_FIELD_TEXT = 1,   /* a text, an id or one word of a few */
    BILLING_FIELD_NUMBER = 2, /* a decimal or a count */
    BILLING_FIELD_TIME = 3,   /* a time */
    BILLING_FIELD_FLAG = 4,   /* true or false */
    BILLING_FIELD_OBJECT = 5, /* an object: billing_object_child() */
    BILLING_FIELD_LIST = 6,   /* a list of objects: billing_object_count(), _item() */
    BILLING_FIELD_TEXTS = 7   /* a list of texts: billing_object_count(), _text_item() */
} billing_field_kind;

/* Free REPLY with all its parts. */
BILLING_API void billing_object_free(billing_object *reply);

/* The text of the member at PATH: text as it is, numbers with exactly the daemon's digits, times in
 * RFC 3339 (2026-11-22T11:01:38.000000Z), flags as "true" and "false".  NULL where it is not set,
 * and for objects and lists. */
BILLING_API const char *billing_object_text(const billing_object *object, const char *path);

/* The time at PATH in microseconds since 1970, or -1. */
BILLING_API int64_t billing_object_time_us(const billing_object *object, const char *path);

/* The count at PATH ("records", "commits"), or 0.  Decimals have no value here, only text. */
BILLING_API uint64_t billing_object_uint64(const billing_object *object, const char *path);

/* The flag at PATH, or false. */
BILLING_API bool billing_object_flag(const billing_object *object, const char *path);

/* The object at PATH, or NULL. */
BILLING_API const billing_object *billing_object_child(const billing_object *object,
                                                       const char *path);

/* How many items the list at PATH has ("bill.lines", "customers"; "labels" is a list of objects
 * with a "name" and a "value"). */
BILLING_API size_t billing_object_count(const billing_object *object, const char *path);

/* Item INDEX, from 0, of the list at PATH, or NULL behind the end. */
BILLING_API const billing_object *billing_object_item(const billing_object *object,
                                                      const char *path, size_t index);

/* Text INDEX, from 0, of the list of texts at PATH ("api_key.services"), or NULL behind the end. */
BILLING_API const char *billing_object_text_item(const billing_object *object, const char *path,
                                                 size_t index);

/* What the member at PATH is, set or not: for programs that print any object. */
BILLING_API billing_field_kind billing_object_kind(const billing_object *object, const char *path);

/* How many members objects of this sort can have. */
BILLING_API size_t billing_object_field_count(const billing_object *object);

/* The name of member INDEX, from 0, in the order of the JSON text; NULL behind the end. */
BILLING_API const char *billing_object_field_name(const billing_object *object, size_t index);

/* The JSON text of OBJECT; of a whole reply it is the body of the REST answer.  On 0 *RET_TEXT,
 * with a NUL behind it, is to be freed with billing_text_free(), and *RET_LENGTH, where given, is
 * its length in bytes; else *RET_TEXT is NULL.
 * Returns 0, BILLING_E_NO_MEMORY or BILLING_E_ARGUMENT (NULL).  Any thread. */
BILLING_API int billing_object_json(const billing_object *object, char **ret_text,
                                    size_t *ret_length);

/* Free a text that the library handed out to be freed.  Any thread. */
BILLING_API void billing_text_free(char *text);

/* The request id under which the reply that OBJECT belongs to was recorded; NULL if it is not the
 * reply of a write.  Valid as the object. */
BILLING_API const char *billing_object_request_id(const billing_object *object);

/* Whether the reply that OBJECT belongs to was recorded by an earlier try or call and is its answer
 * again. */
BILLING_API bool billing_object_replayed(const billing_object *object);

/* --- errors ----------------------------------------------------------------------------------- */

/* An error says of a failed call what is certain and what can be done.  Texts are valid until the
 * error is freed.  The functions that read take NULL.  Any thread, any number at once. */

/* Free ERROR. */
BILLING_API void billing_error_free(billing_error *error);

/* The number that the call returned; BILLING_OK for NULL. */
BILLING_API int billing_error_kind(const billing_error *error);

/* The reason as one word: the daemon's ("request_id_reused", "busy", ...), or the library's own,
 * where no answer came: "connect_failed", "connection_lost", "timeout", "bad_reply", "no_memory",
 * "invalid_argument", "bad_token_file", "too_large", "no_request_id".  Never NULL. */
BILLING_API const char *billing_error_code(const billing_error *error);

/* The reason in one line, for people: title and detail.  Never NULL. */
BILLING_API const char *billing_error_message(const billing_error *error);

/* A few words that are the same for each error with this code.  Never NULL. */
BILLING_API const char *billing_error_title(const billing_error *error);

/* What is special to this one; NULL if nothing. */
BILLING_API const char *billing_error_detail(const billing_error *error);

/* The HTTP status that the REST call would have answered; 0 if no answer came. */
BILLING_API int billing_error_http_status(const billing_error *error);

/* The request id that every try carried, given or made: what BILLING_E_UNKNOWN is settled with.
 * NULL for calls that have none. */
BILLING_API const char *billing_error_request_id(const billing_error *error);

/* The id of what stands in the way (who has the external id, what the request id recorded); NULL if
 * nothing does. */
BILLING_API const char *billing_error_existing_id(const billing_error *error);

/* How many fields of the request are wrong. */
BILLING_API size_t billing_error_field_count(const billing_error *error);

/* The name, the reason as one word and the reason for people of wrong field INDEX, from 0; NULL
 * behind the end. */
BILLING_API const char *billing_error_field_name(const billing_error *error, size_t index);
BILLING_API const char *billing_error_field_code(const billing_error *error, size_t index);
BILLING_API const char *billing_error_field_message(const billing_error *error, size_t index);

/* How often the call was tried. */
BILLING_API int billing_error_attempts(const billing_error *error);

/* After how many milliseconds the daemon asks to be tried again; 0 if it does not say. */
BILLING_API int64_t billing_error_retry_after_ms(const billing_error *error);

/* The daemon's last answer as an object (its JSON is the REST error body); NULL if none came. */
BILLING_API const billing_object *billing_error_problem(const billing_error *error);

#ifdef __cplusplus
}
#endif

#endif
