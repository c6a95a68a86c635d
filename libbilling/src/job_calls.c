/* The public calls about long work of the daemon. */
#include <billing/admin.h>

#include "billing.pb-c.h"
#include "libbilling/src/call.h"
#include "libbilling/src/message.h"
#include "libbilling/src/prepare.h"

int billing_backup_start(billing_client *client, const char *directory, billing_object **ret_reply,
                         billing_error **ret_error)
{
    Billing__V1__StartBackup message = BILLING__V1__START_BACKUP__INIT;
    struct call call;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_START_BACKUP, WRITES);
    call.changes_answers = true; /* the directory is there then, and a job runs */
    message_refer(&message.has_directory, &message.directory, directory);
    call.request.start_backup = &message;
    return call_run(&call, ret_reply, ret_error);
}

int billing_verification_start(billing_client *client, billing_object **ret_reply,
                               billing_error **ret_error)
{
    Billing__V1__StartVerification message = BILLING__V1__START_VERIFICATION__INIT;
    struct call call;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_START_VERIFICATION, WRITES);
    call.changes_answers = true; /* a job runs then */
    call.request.start_verification = &message;
    return call_run(&call, ret_reply, ret_error);
}

int billing_job_get(billing_client *client, const char *job_id, billing_object **ret_reply,
                    billing_error **ret_error)
{
    Billing__V1__GetJob message = BILLING__V1__GET_JOB__INIT;
    struct call call;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_GET_JOB, READS);
    message_refer(&message.has_job_id, &message.job_id, job_id);
    call.request.get_job = &message;
    return call_run(&call, ret_reply, ret_error);
}

int billing_job_cancel(billing_client *client, const char *job_id, billing_object **ret_reply,
                       billing_error **ret_error)
{
    Billing__V1__CancelJob message = BILLING__V1__CANCEL_JOB__INIT;
    struct call call;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_CANCEL_JOB, WRITES);
    message_refer(&message.has_job_id, &message.job_id, job_id);
    call.request.cancel_job = &message;
    return call_run(&call, ret_reply, ret_error);
}
