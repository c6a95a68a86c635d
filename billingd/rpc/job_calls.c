/* StartBackup, StartVerification, GetJob, CancelJob.
 *
 * The daemon answers for a job at once; what becomes of it is asked for with GetJob. */
#include <inttypes.h>
#include <stdlib.h>

#include "billingd/rpc/fields.h"
#include "billingd/rpc/methods.h"
#include "billingd/rpc/problem.h"
#include "billingd/rpc/reply.h"
#include "proto/limits.h"

enum {
    ID_DIGITS = 16,
};

static const char id_prefix[] = "job_";

struct job_args {
    struct slice directory; /* StartBackup: where to */
    struct errinfo reason;  /* what is wrong with it */
    int status;             /* of what was asked */
    uint64_t id;            /* of the job; of the one that runs, where that is the reason */
    struct job job;         /* as it is */
};

/* --- messages --------------------------------------------------------------------------------- */

static void put_id(struct request *request, uint64_t id, protobuf_c_boolean *has,
                   ProtobufCBinaryData *field)
{
    reply_printf(request, has, field, "%s%0*" PRIx64, id_prefix, (int)ID_DIGITS, id);
}

static Billing__V1__Job__Kind wire_kind(enum job_kind kind)
{
    return kind == JOB_BACKUP ? BILLING__V1__JOB__KIND__BACKUP
                              : BILLING__V1__JOB__KIND__VERIFICATION;
}

static Billing__V1__Job__State wire_state(enum job_state state)
{
    switch (state) {
    case JOB_RUNNING:
        return BILLING__V1__JOB__STATE__RUNNING;
    case JOB_DONE:
        return BILLING__V1__JOB__STATE__DONE;
    case JOB_FAILED:
        return BILLING__V1__JOB__STATE__FAILED;
    case JOB_CANCELLED:
        break;
    }
    return BILLING__V1__JOB__STATE__CANCELLED;
}

/* Services are called by their names, and what cannot be read has no kind: the text says which
 * record it is. */
static bool has_object_id(enum record_kind kind)
{
    return kind == RECORD_CUSTOMER_CREATED || kind == RECORD_USAGE || kind == RECORD_USAGE_VOIDED ||
           kind == RECORD_ADJUSTMENT;
}

static Billing__V1__Finding *encode_finding(struct request *request,
                                            const struct job_finding *finding)
{
    Billing__V1__Finding *m = arena_need(&request->arena, sizeof *m);
    billing__v1__finding__init(m);
    reply_text(request, &m->has_fault, &m->fault, slice_of(store_fault_name(finding->fault)));
    reply_text(request, &m->has_table, &m->table, slice_of(finding->table));
    if (has_object_id(finding->kind)) {
        reply_id(request, &m->has_record, &m->record, object_kind_of(finding->kind), finding->seq);
    }
    reply_count(&m->has_rows, &m->rows, finding->rows);
    if (finding->seq == 0) {
        reply_text(request, &m->has_text, &m->text, slice_of(finding->text));
    } else {
        reply_printf(request, &m->has_text, &m->text, "record %" PRIu64 ": %s", finding->seq,
                     finding->text);
    }
    return m;
}

static void encode_verification(struct request *request, const struct job *job, Billing__V1__Job *m)
{
    if (job->state == JOB_DONE) {
        reply_count(&m->has_records, &m->records, job->records);
        reply_count(&m->has_rows, &m->rows, job->rows);
    }
    reply_count(&m->has_findings_count, &m->findings_count, job->n_findings);
    m->findings = arena_need(&request->arena, (job->n_kept + 1) * sizeof(Billing__V1__Finding *));
    for (; m->n_findings < job->n_kept; m->n_findings++) {
        m->findings[m->n_findings] = encode_finding(request, &job->findings[m->n_findings]);
    }
}

static Billing__V1__Job *encode_job(struct request *request, const struct job *job)
{
    Billing__V1__Job *m = arena_need(&request->arena, sizeof *m);
    billing__v1__job__init(m);
    put_id(request, job->id, &m->has_id, &m->id);
    m->has_kind = true;
    m->kind = wire_kind(job->kind);
    m->has_state = true;
    m->state = wire_state(job->state);
    reply_time(&m->has_started_at, &m->started_at, job->started_at_us);
    if (job->state != JOB_RUNNING) {
        reply_time(&m->has_ended_at, &m->ended_at, job->ended_at_us);
    }
    reply_count(&m->has_steps_done, &m->steps_done, job->steps_done);
    reply_count(&m->has_steps, &m->steps, job->steps);
    if (job->state == JOB_FAILED) {
        reply_text(request, &m->has_detail, &m->detail, slice_of(job->detail));
    }
    if (job->state == JOB_DONE) {
        reply_count(&m->has_journal_position, &m->journal_position, job->last_seq);
    }
    if (job->kind == JOB_BACKUP) {
        reply_text(request, &m->has_directory, &m->directory, slice_of(job->directory));
        reply_count(&m->has_bytes, &m->bytes, job->bytes);
        if (job->warning[0] != '\0') {
            reply_text(request, &m->has_warning, &m->warning, slice_of(job->warning));
        }
    } else {
        encode_verification(request, job, m);
    }
    return m;
}

static Billing__V1__JobReply *encode_reply(struct request *request)
{
    const struct job_args *args = request->args;
    Billing__V1__JobReply *reply = arena_need(&request->arena, sizeof *reply);
    billing__v1__job_reply__init(reply);
    reply->job = encode_job(request, &args->job);
    return reply;
}

/* --- starting one ----------------------------------------------------------------------------- */

/* Whatever came of it is for refuse() to say. */
static void start(struct request *request, struct job_args *args)
{
    struct jobs *jobs = request->dispatch->options.jobs;
    if (args->directory.length == 0) {
        args->status = jobs_start_verification(jobs, &args->id);
    } else {
        args->status = jobs_start_backup(jobs, args->directory, &args->id, &args->reason);
    }
    if (args->status == 0) {
        args->status = jobs_get(jobs, args->id, &request->arena, &args->job);
    }
}

/* Returns whether there is something to refuse, which it has done. */
static bool refuse(struct request *request)
{
    struct job_args *args = request->args;
    if (args->status == 0) {
        return false;
    }
    Billing__V1__Problem *problem;
    if (args->status == STATUS_JOB_RUNNING) {
        problem = problem_of_status(request, args->status,
                                    SLICE("another job is running, and there is one at a time: "
                                          "wait until it has ended, or cancel it"));
        put_id(request, args->id, &problem->has_existing_id, &problem->existing_id);
    } else if (args->reason.message[0] != '\0') {
        request_field_error(request, -1, SLICE("directory"), args->status, "%s",
                            args->reason.message);
        problem = problem_of_errors(request, -1, 0);
    } else {
        problem =
            problem_of_status(request, args->status, slice_of(status_info(args->status)->title));
    }
    problem_reply(request, problem);
    return true;
}

static int backup_decode(struct request *request)
{
    const Billing__V1__StartBackup *m = request->message->start_backup;
    struct job_args *args = arena_need(&request->arena, sizeof *args);
    request->args = args;
    field_refuse_unknown(request, -1, &m->base);
    field_text(request, -1,
               &(struct text_field){"directory", m->has_directory, m->directory,
                                    LIMIT_DIRECTORY_BYTES, true},
               &args->directory);
    return 0;
}

/* On a reader thread, since it looks at the disk that the backup is to be on. */
static int backup_query(struct request *request, struct store_view *view,
                        const struct ledger_env *env)
{
    (void)view;
    (void)env;
    start(request, request->args);
    return 0;
}

static void backup_encode(struct request *request)
{
    if (!refuse(request)) {
        request->response.result_case = BILLING__V1__RESPONSE__RESULT_START_BACKUP;
        request->response.start_backup = encode_reply(request);
    }
}

static int verification_decode(struct request *request)
{
    struct job_args *args = arena_need(&request->arena, sizeof *args);
    request->args = args;
    field_refuse_unknown(request, -1, &request->message->start_verification->base);
    if (request->errors.first == NULL) {
        start(request, args);
    }
    return 0;
}

static void verification_encode(struct request *request)
{
    if (!refuse(request)) {
        request->response.result_case = BILLING__V1__RESPONSE__RESULT_START_VERIFICATION;
        request->response.start_verification = encode_reply(request);
    }
}

/* --- asking for one, and ending it ------------------------------------------------------------ */

/* What can be no job's id names none: 0. */
static uint64_t parse_id(ProtobufCBinaryData data)
{
    char digits[ID_DIGITS + 1] = "";
    size_t prefix = sizeof id_prefix - 1;
    if (data.len != prefix + ID_DIGITS || memcmp(data.data, id_prefix, prefix) != 0) {
        return 0;
    }
    memcpy(digits, data.data + prefix, ID_DIGITS);
    bool known = strspn(digits, "0123456789abcdef") == ID_DIGITS;
    return known ? strtoull(digits, NULL, 16) : 0;
}

/* The job that is asked about, once it was cancelled where that is asked for. */
static int find(struct request *request, protobuf_c_boolean has, ProtobufCBinaryData data,
                bool cancel)
{
    struct jobs *jobs = request->dispatch->options.jobs;
    struct job_args *args = arena_need(&request->arena, sizeof *args);
    request->args = args;
    field_require(request, "job_id", has);
    if (request->errors.first != NULL) {
        return 0;
    }
    args->id = parse_id(data);
    int rc = cancel ? jobs_cancel(jobs, args->id) : 0;
    return rc < 0 ? rc : jobs_get(jobs, args->id, &request->arena, &args->job);
}

static int get_decode(struct request *request)
{
    const Billing__V1__GetJob *m = request->message->get_job;
    field_refuse_unknown(request, -1, &m->base);
    return find(request, m->has_job_id, m->job_id, false);
}

static void get_encode(struct request *request)
{
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_GET_JOB;
    request->response.get_job = encode_reply(request);
}

static int cancel_decode(struct request *request)
{
    const Billing__V1__CancelJob *m = request->message->cancel_job;
    field_refuse_unknown(request, -1, &m->base);
    return find(request, m->has_job_id, m->job_id, true);
}

static void cancel_encode(struct request *request)
{
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_CANCEL_JOB;
    request->response.cancel_job = encode_reply(request);
}

static const struct method methods[] = {
    {
        .call = BILLING__V1__REQUEST__CALL_START_BACKUP,
        .name = "StartBackup",
        .lane = LANE_READ,
        .role = ROLE_ADMIN,
        .acts = true,
        .decode = backup_decode,
        .query = backup_query,
        .encode = backup_encode,
    },
    {
        .call = BILLING__V1__REQUEST__CALL_START_VERIFICATION,
        .name = "StartVerification",
        .lane = LANE_HERE,
        .role = ROLE_ADMIN,
        .acts = true,
        .decode = verification_decode,
        .encode = verification_encode,
    },
    {
        .call = BILLING__V1__REQUEST__CALL_GET_JOB,
        .name = "GetJob",
        .lane = LANE_HERE,
        .role = ROLE_ADMIN,
        .decode = get_decode,
        .encode = get_encode,
    },
    {
        .call = BILLING__V1__REQUEST__CALL_CANCEL_JOB,
        .name = "CancelJob",
        .lane = LANE_HERE,
        .role = ROLE_ADMIN,
        .acts = true,
        .decode = cancel_decode,
        .encode = cancel_encode,
    },
};

const struct method_family job_calls = {methods, sizeof methods / sizeof methods[0]};
