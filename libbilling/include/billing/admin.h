/* libbilling, for those who run the daemon: API keys, backups, verification.  What billing.h says
 * of calls, replies, errors, handles and threads holds here too.  The daemon lets only
 * administrators do this. */
#ifndef BILLING_ADMIN_H
#define BILLING_ADMIN_H

#include <billing/billing.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- API keys --------------------------------------------------------------------------------- */

enum {
    BILLING_KEY_SERVICES_MAX = 64 /* of one API key */
};

typedef struct billing_key_input billing_key_input;

/* What the owner of an API key may do. */
typedef enum billing_role {
    BILLING_ROLE_READER = 1, /* read */
    BILLING_ROLE_WRITER = 2, /* and record usage */
    BILLING_ROLE_ADMIN = 3   /* everything */
} billing_role;

/* An API key to be: as a usage input, fields that are not set are left out of the request, and a
 * setter that fails for want of memory also makes the call that uses the input fail with
 * BILLING_E_NO_MEMORY.  One thread at a time. */

/* An empty input, to be freed with billing_key_input_free().  NULL if out of memory. */
BILLING_API billing_key_input *billing_key_input_new(void);

/* Free INPUT. */
BILLING_API void billing_key_input_free(billing_key_input *input);

/* What the key is called: no other that is not revoked is called so.  NULL: not set.
 * Returns 0, BILLING_E_NO_MEMORY or BILLING_E_ARGUMENT (no input). */
BILLING_API int billing_key_input_set_name(billing_key_input *input, const char *name);

/* What its owner may do.  Returns 0 or BILLING_E_ARGUMENT. */
BILLING_API int billing_key_input_set_role(billing_key_input *input, billing_role role);

/* Add a service to those that a writer may record usage of: up to BILLING_KEY_SERVICES_MAX; without
 * any it is all.
 * Returns 0, BILLING_E_FULL, BILLING_E_NO_MEMORY or BILLING_E_ARGUMENT (NULL). */
BILLING_API int billing_key_input_add_service(billing_key_input *input, const char *service);

/* Until when the key is good.  Not set: until it is revoked.
 * Returns 0, BILLING_E_RANGE (before 1970 or after 9999) or BILLING_E_ARGUMENT (no input). */
BILLING_API int billing_key_input_set_expires_us(billing_key_input *input, int64_t expires_at_us);

/* Make an API key, INPUT.  The reply is the only one that ever has the key itself, the secret that
 * a program then sets as its token: the daemon keeps a hash of it.  The memory of the reply is
 * overwritten when it is freed; what billing_object_json() made of it is the caller's to overwrite.
 * Takes no request id, since an answer that has a secret cannot be kept to be given again: where
 * the outcome is unknown, look whether a key of that name is there, revoke it, and make another.
 * Reply: {"key", "api_key": {"id", "name", "role", "services", "created_at", "created_by",
 * "expires_at", "revoked_at", "revoked_by", "last_used_at"}}; "services" is a list of texts. */
BILLING_API int billing_key_create(billing_client *client, const billing_key_input *input,
                                   billing_object **ret_reply, billing_error **ret_error);

/* A page of the API keys that QUERY asks for (include_revoked, limit, cursor), NULL: the first ones
 * of those that are not revoked.  Reply: {"keys": [{"id", ...}, ...], "next_cursor"}. */
BILLING_API int billing_key_list(billing_client *client, const billing_query *query,
                                 billing_object **ret_reply, billing_error **ret_error);

/* Revoke KEY, an id, or the name of a key that is not revoked: it opens nothing from then on, also
 * on connections that are open.  Takes no request id.  Where a try whose answer was lost has
 * revoked it, a name may then be refused as one that is not there: the outcome is unknown then, and
 * billing_key_list() tells.  Reply: {"api_key": {...}}. */
BILLING_API int billing_key_revoke(billing_client *client, const char *key,
                                   billing_object **ret_reply, billing_error **ret_error);

/* Whether API keys that are revoked are listed too.  The default is that they are not.
 * Returns 0 or BILLING_E_ARGUMENT (no query). */
BILLING_API int billing_query_set_include_revoked(billing_query *query, bool include);

/* --- long work of the daemon ------------------------------------------------------------------ */

/* Have the daemon copy its store, while it serves, into DIRECTORY, an absolute path on its own
 * host at which there is nothing: what is there in the end is a data directory.  Returns when the
 * copying has begun; billing_job_get() says how far it is.  Takes no request id: where the outcome
 * is unknown, the directory tells.
 * Reply: {"job": {"id", "kind", "state", "started_at", "ended_at", "steps_done", "steps",
 * "detail", "directory", "bytes", "journal_position", ...}}: "state" is "running", "done", "failed"
 * (and "detail" says why) or "cancelled". */
BILLING_API int billing_backup_start(billing_client *client, const char *directory,
                                     billing_object **ret_reply, billing_error **ret_error);

/* Have the daemon check, while it serves, all that it keeps: the chain of the journal, and what is
 * derived from it, which is computed again and compared.  Returns when that has begun.
 * Reply: {"job": {"id", ..., "records", "rows", "findings_count", "findings": [{"fault", "table",
 * "record", "rows", "text"}, ...]}}: what is wrong is found in the end, and only the first of it is
 * in the list. */
BILLING_API int billing_verification_start(billing_client *client, billing_object **ret_reply,
                                           billing_error **ret_error);

/* The job with JOB_ID, as far as it is.  Jobs do not outlive the daemon.  Reply: {"job": {...}}. */
BILLING_API int billing_job_get(billing_client *client, const char *job_id,
                                billing_object **ret_reply, billing_error **ret_error);

/* Have the job with JOB_ID end as soon as it can; a backup leaves nothing behind.  One that has
 * ended stays as it is.  Reply: {"job": {...}}. */
BILLING_API int billing_job_cancel(billing_client *client, const char *job_id,
                                   billing_object **ret_reply, billing_error **ret_error);

#ifdef __cplusplus
}
#endif

#endif
