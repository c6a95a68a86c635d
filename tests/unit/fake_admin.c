#include "tests/unit/fake_admin.h"

#include <stdatomic.h>
#include <string.h>

#include "tests/unit/fake_fields.h"

/* --- keys ------------------------------------------------------------------------------------- */

static void fill_key(Billing__V1__ApiKey *key)
{
    billing__v1__api_key__init(key);
    TEXT(key, id, "key_1");
    TEXT(key, name, "metering");
    VALUE(key, role, BILLING__V1__ROLE__WRITER);
    VALUE(key, created_at, T0);
    TEXT(key, created_by, "local");
}

static void answer_new_key(const Billing__V1__Request *request, Billing__V1__Response *response,
                           fake_send_fn send, void *arg)
{
    const Billing__V1__CreateKey *call = request->create_key;
    Billing__V1__CreateKeyReply reply = BILLING__V1__CREATE_KEY_REPLY__INIT;
    Billing__V1__ApiKey key;
    fill_key(&key);
    key.name = call->name;
    VALUE(&key, role, call->role);
    key.n_services = call->n_services;
    key.services = call->services;
    key.has_expires_at = call->has_expires_at;
    key.expires_at = call->expires_at;
    TEXT(&reply, key, FAKE_NEW_KEY);
    reply.api_key = &key;
    response->create_key = &reply;
    send(response, arg);
}

static void answer_keys(Billing__V1__Response *response, fake_send_fn send, void *arg)
{
    Billing__V1__KeysReply reply = BILLING__V1__KEYS_REPLY__INIT;
    Billing__V1__ApiKey keys[2];
    Billing__V1__ApiKey *list[2] = {&keys[0], &keys[1]};
    ProtobufCBinaryData services[] = {bytes_of("Backup"), bytes_of("Object \"Storage\"")};
    fill_key(&keys[0]);
    fill_key(&keys[1]);
    keys[1].n_services = 2;
    keys[1].services = services;
    reply.n_keys = 2;
    reply.keys = list;
    response->list_keys = &reply;
    send(response, arg);
}

static void answer_revoked(Billing__V1__Response *response, fake_send_fn send, void *arg)
{
    Billing__V1__KeyReply reply = BILLING__V1__KEY_REPLY__INIT;
    Billing__V1__ApiKey key;
    fill_key(&key);
    VALUE(&key, revoked_at, T0 + 7);
    reply.api_key = &key;
    response->revoke_key = &reply;
    send(response, arg);
}

/* --- jobs ------------------------------------------------------------------------------------- */

static bool is_text(const ProtobufCBinaryData *bytes, const char *text)
{
    return bytes->len == strlen(text) && memcmp(bytes->data, text, bytes->len) == 0;
}

static void send_job(Billing__V1__Job *job, Billing__V1__Response *response, fake_send_fn send,
                     void *arg)
{
    Billing__V1__JobReply reply = BILLING__V1__JOB_REPLY__INIT;
    reply.job = job;
    response->get_job = &reply; /* one union: the others lie there too */
    send(response, arg);
}

static void begin_job(Billing__V1__Job *job, const char *id, Billing__V1__Job__Kind kind)
{
    billing__v1__job__init(job);
    TEXT(job, id, id);
    VALUE(job, kind, kind);
    VALUE(job, state, BILLING__V1__JOB__STATE__RUNNING);
    VALUE(job, started_at, T0);
    VALUE(job, steps_done, 1);
    VALUE(job, steps, 4);
}

static void end_job(Billing__V1__Job *job, Billing__V1__Job__State state)
{
    VALUE(job, state, state);
    VALUE(job, ended_at, T0 + 9);
    VALUE(job, steps_done, 4);
    VALUE(job, journal_position, 17);
}

static atomic_int stuck_state = BILLING__V1__JOB__STATE__RUNNING;

void fake_end_stuck(Billing__V1__Job__State state)
{
    stuck_state = (int)state;
}

static void answer_stuck(Billing__V1__Response *response, fake_send_fn send, void *arg)
{
    Billing__V1__Job job;
    begin_job(&job, "job_stuck", BILLING__V1__JOB__KIND__BACKUP);
    Billing__V1__Job__State state = (Billing__V1__Job__State)stuck_state;
    if (state != BILLING__V1__JOB__STATE__RUNNING) {
        end_job(&job, state);
        TEXT(&job, directory, "/stuck");
    }
    if (state == BILLING__V1__JOB__STATE__FAILED) {
        TEXT(&job, detail, "the disk is gone");
    }
    send_job(&job, response, send, arg);
}

static void answer_started(const Billing__V1__Request *request, Billing__V1__Response *response,
                           fake_send_fn send, void *arg)
{
    Billing__V1__Job job;
    if (request->call_case == BILLING__V1__REQUEST__CALL_START_BACKUP) {
        const Billing__V1__StartBackup *call = request->start_backup;
        bool slow = is_text(&call->directory, "/slow");
        bool stuck = is_text(&call->directory, "/stuck");
        begin_job(&job,
                  slow    ? "job_slow"
                  : stuck ? "job_stuck"
                          : "job_backup",
                  BILLING__V1__JOB__KIND__BACKUP);
        job.has_directory = call->has_directory;
        job.directory = call->directory;
    } else {
        begin_job(&job, "job_verify", BILLING__V1__JOB__KIND__VERIFICATION);
    }
    send_job(&job, response, send, arg);
}

static void answer_verified(Billing__V1__Response *response, fake_send_fn send, void *arg)
{
    Billing__V1__Job job;
    Billing__V1__Finding finding = BILLING__V1__FINDING__INIT;
    Billing__V1__Finding *findings[] = {&finding};
    begin_job(&job, "job_verify", BILLING__V1__JOB__KIND__VERIFICATION);
    end_job(&job, BILLING__V1__JOB__STATE__DONE);
    TEXT(&finding, fault, "wrong");
    TEXT(&finding, table, "sums");
    TEXT(&finding, text, "a sum differs");
    VALUE(&finding, rows, 3);
    VALUE(&job, records, 17);
    VALUE(&job, rows, 40);
    VALUE(&job, findings_count, 2);
    job.n_findings = 1;
    job.findings = findings;
    send_job(&job, response, send, arg);
}

static void answer_job(const ProtobufCBinaryData *id, Billing__V1__Response *response,
                       fake_send_fn send, void *arg)
{
    Billing__V1__Job job;
    if (is_text(id, "job_verify")) {
        answer_verified(response, send, arg);
        return;
    }
    if (is_text(id, "job_stuck")) {
        answer_stuck(response, send, arg);
        return;
    }
    begin_job(&job, "job_backup", BILLING__V1__JOB__KIND__BACKUP);
    if (is_text(id, "job_slow")) {
        TEXT(&job, id, "job_slow");
    } else {
        end_job(&job, BILLING__V1__JOB__STATE__DONE);
        TEXT(&job, directory, "/backups/1");
        VALUE(&job, bytes, 65536);
    }
    send_job(&job, response, send, arg);
}

static void answer_cancelled(const ProtobufCBinaryData *id, Billing__V1__Response *response,
                             fake_send_fn send, void *arg)
{
    Billing__V1__Job job;
    if (is_text(id, "job_stuck")) {
        answer_stuck(response, send, arg);
        return;
    }
    begin_job(&job, "job_slow", BILLING__V1__JOB__KIND__BACKUP);
    end_job(&job, BILLING__V1__JOB__STATE__CANCELLED);
    send_job(&job, response, send, arg);
}

void fake_answer_admin(const Billing__V1__Request *request, Billing__V1__Response *response,
                       fake_send_fn send, void *arg)
{
    switch ((int)request->call_case) {
    case BILLING__V1__REQUEST__CALL_CREATE_KEY:
        answer_new_key(request, response, send, arg);
        break;
    case BILLING__V1__REQUEST__CALL_LIST_KEYS:
        answer_keys(response, send, arg);
        break;
    case BILLING__V1__REQUEST__CALL_REVOKE_KEY:
        answer_revoked(response, send, arg);
        break;
    case BILLING__V1__REQUEST__CALL_START_BACKUP:
    case BILLING__V1__REQUEST__CALL_START_VERIFICATION:
        answer_started(request, response, send, arg);
        break;
    case BILLING__V1__REQUEST__CALL_GET_JOB:
        answer_job(&request->get_job->job_id, response, send, arg);
        break;
    case BILLING__V1__REQUEST__CALL_CANCEL_JOB:
        answer_cancelled(&request->cancel_job->job_id, response, send, arg);
        break;
    default: /* a call without an answer here: the test waits in vain, and says so */
        break;
    }
}
