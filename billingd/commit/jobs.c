#include "billingd/commit/jobs.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "billingd/base/assert.h"
#include "billingd/base/clock.h"
#include "billingd/base/log.h"
#include "billingd/base/random.h"
#include "billingd/base/thread.h"

struct jobs {
    struct store *store; /* not owned */
    pthread_t thread;

    /* --- any thread --- */
    atomic_bool cancelled; /* the one that runs is to end */

    /* --- guarded by lock; but what of jobs[current] is not an answer is the thread's alone --- */
    pthread_mutex_t lock;
    pthread_cond_t wanted;      /* signalled when running or closing is set */
    struct job jobs[JOBS_KEPT]; /* id 0: none */
    unsigned current;           /* the newest */
    bool running;               /* it has not ended */
    bool closing;
};

static struct job *current_of(struct jobs *j)
{
    return &j->jobs[j->current];
}

/* --- progress: the jobs' thread --------------------------------------------------------------- */

static int progress_cb(uint64_t done, uint64_t all, void *arg)
{
    struct jobs *j = arg;
    struct job *job = current_of(j);
    pthread_mutex_lock(&j->lock);
    job->steps_done = done;
    job->steps = all;
    job->bytes = job->kind == JOB_BACKUP ? done : 0;
    pthread_mutex_unlock(&j->lock);
    return atomic_load_explicit(&j->cancelled, memory_order_relaxed) ? STATUS_SHUTTING_DOWN : 0;
}

static int finding_cb(const struct store_finding *finding, void *arg)
{
    struct jobs *j = arg;
    struct job *job = current_of(j);
    pthread_mutex_lock(&j->lock);
    job->n_findings++;
    if (job->n_kept < JOB_FINDINGS_MAX) {
        struct job_finding *kept = &job->findings[job->n_kept++];
        *kept = (struct job_finding){
            .fault = finding->fault,
            .table = finding->table,
            .seq = finding->seq,
            .rows = finding->rows,
        };
        IGNORE(snprintf(kept->text, sizeof kept->text, "%s", finding->text) < 0); /* cut is fine */
    }
    pthread_mutex_unlock(&j->lock);
    return 0;
}

/* --- the work: the jobs' thread --------------------------------------------------------------- */

static int back_up(struct jobs *j, struct store_copied *copied, struct errinfo *reason)
{
    const struct store_backup backup = {
        .directory = current_of(j)->directory,
        .progress_cb = progress_cb,
        .arg = j,
    };
    return store_backup(j->store, &backup, copied, reason);
}

/* What a finding is about can only be looked up in the end: a verification has the view to
 * itself. */
static void find_kinds(struct jobs *j, struct store_view *view)
{
    struct job *job = current_of(j);
    for (size_t i = 0; i < job->n_kept; i++) {
        struct record record;
        if (job->findings[i].seq == 0 || store_record(view, job->findings[i].seq, &record) < 0) {
            continue;
        }
        pthread_mutex_lock(&j->lock);
        job->findings[i].kind = record.kind;
        pthread_mutex_unlock(&j->lock);
    }
}

static int verify(struct jobs *j, struct store_verified *verified, uint64_t *ret_last_seq)
{
    const struct store_verify how = {finding_cb, progress_cb, j};
    struct store_info info;
    struct store_view *view;
    int rc = store_snapshot(j->store, &view);
    if (rc < 0) {
        return rc;
    }
    rc = store_verify(view, &how, verified);
    find_kinds(j, view);
    if (rc == 0) {
        rc = store_info(view, &info);
    }
    if (rc == 0) {
        *ret_last_seq = info.last_seq;
    }
    store_release(view);
    return rc;
}

/* A status that is not ours to give may stand for a cancelled job too; cancelled it is only where
 * somebody has asked for it. */
static enum job_state state_of(const struct jobs *j, int status)
{
    if (status == 0) {
        return JOB_DONE;
    }
    return status == STATUS_SHUTTING_DOWN && atomic_load(&j->cancelled) ? JOB_CANCELLED
                                                                        : JOB_FAILED;
}

static void end(struct jobs *j, int status, const struct errinfo *reason)
{
    struct job *job = current_of(j);
    pthread_mutex_lock(&j->lock);
    job->state = state_of(j, status);
    job->ended_at_us = clock_wall_us();
    if (job->state == JOB_FAILED) {
        memcpy(job->detail, reason->message, sizeof job->detail);
    }
    j->running = false;
    pthread_mutex_unlock(&j->lock);
}

static void log_end(const struct job *job, const char *what)
{
    char id[24];
    IGNORE(snprintf(id, sizeof id, "%016llx", (unsigned long long)job->id) < 0); /* fits */
    if (job->state == JOB_FAILED) {
        log_error(LOG_STORE, what, LOG_TEXT("state", "failed"), LOG_TEXT("job", id),
                  LOG_TEXT("reason", job->detail));
    } else {
        log_info(LOG_STORE, what, LOG_TEXT("state", "cancelled"), LOG_TEXT("job", id));
    }
}

static void run_backup(struct jobs *j)
{
    struct job *job = current_of(j);
    struct store_copied copied;
    struct errinfo reason = {""};
    log_info(LOG_STORE, "backup begun", LOG_TEXT("directory", job->directory));
    if (job->warning[0] != '\0') {
        log_warning(LOG_STORE, "the backup will not last", LOG_TEXT("directory", job->directory),
                    LOG_TEXT("reason", job->warning));
    }
    int rc = back_up(j, &copied, &reason);
    if (rc == 0) {
        pthread_mutex_lock(&j->lock);
        job->bytes = copied.bytes;
        job->last_seq = copied.last_seq;
        pthread_mutex_unlock(&j->lock);
    }
    if (rc < 0 && reason.message[0] == '\0') {
        IGNORE(snprintf(reason.message, sizeof reason.message, "%s", status_info(rc)->title) < 0);
    }
    end(j, rc, &reason);
    if (rc < 0) {
        log_end(job, "backup ended");
        return;
    }
    log_info(LOG_STORE, "backup done", LOG_TEXT("directory", job->directory),
             LOG_INT("journal_position", copied.last_seq), LOG_INT("bytes", copied.bytes),
             LOG_INT("ms", (job->ended_at_us - job->started_at_us) / 1000),
             LOG_INT("view_ms", copied.held_us / 1000), LOG_INT("store_grown", copied.grown));
}

static void log_findings(const struct job *job)
{
    const struct job_finding *first = &job->findings[0];
    log_error(LOG_STORE, "verification found damage", LOG_INT("findings", job->n_findings),
              LOG_TEXT("first", store_fault_name(first->fault)), LOG_TEXT("table", first->table),
              LOG_INT("record", first->seq), LOG_TEXT("text", first->text));
}

static void run_verification(struct jobs *j)
{
    struct job *job = current_of(j);
    struct store_verified verified;
    struct errinfo reason;
    uint64_t last_seq = 0;
    log_info(LOG_STORE, "verification begun");
    int rc = verify(j, &verified, &last_seq);
    if (rc == 0) {
        pthread_mutex_lock(&j->lock);
        job->last_seq = last_seq;
        job->records = verified.records;
        job->rows = verified.rows;
        pthread_mutex_unlock(&j->lock);
    }
    IGNORE(snprintf(reason.message, sizeof reason.message, "cannot go on reading the store: %s",
                    status_info(rc)->title) < 0); /* fits */
    end(j, rc, &reason);
    if (job->n_findings > 0) { /* also of one that did not come to its end */
        log_findings(job);
    }
    if (rc < 0) {
        log_end(job, "verification ended");
    } else if (job->n_findings == 0) {
        log_info(LOG_STORE, "verification found nothing wrong", LOG_INT("records", job->records),
                 LOG_INT("rows", job->rows),
                 LOG_INT("ms", (job->ended_at_us - job->started_at_us) / 1000));
    }
}

/* Wait for a job.  Returns false when closing. */
static bool take(struct jobs *j)
{
    pthread_mutex_lock(&j->lock);
    while (!j->running && !j->closing) {
        pthread_cond_wait(&j->wanted, &j->lock);
    }
    bool running = j->running; /* also when closing: then it is cancelled already */
    pthread_mutex_unlock(&j->lock);
    return running;
}

static void *jobs_main(void *arg)
{
    enum { NICE = 10 }; /* so that who records goes first where processors are few */
    struct jobs *j = arg;
    thread_begin("jobs");
    IGNORE(setpriority(PRIO_PROCESS, 0, NICE) < 0); /* of this thread, on Linux; a courtesy */
    while (take(j)) {
        if (current_of(j)->kind == JOB_BACKUP) {
            run_backup(j);
        } else {
            run_verification(j);
        }
    }
    return NULL;
}

/* --- any thread ------------------------------------------------------------------------------- */

int jobs_create(struct store *store, struct jobs **ret_jobs)
{
    struct jobs *j = calloc(1, sizeof *j);
    if (j == NULL) {
        return STATUS_NO_MEMORY;
    }
    j->store = store;
    INVARIANT(pthread_mutex_init(&j->lock, NULL) == 0);
    INVARIANT(pthread_cond_init(&j->wanted, NULL) == 0);
    if (pthread_create(&j->thread, NULL, jobs_main, j) != 0) {
        free(j);
        return STATUS_NO_MEMORY;
    }
    *ret_jobs = j;
    return 0;
}

/* Put JOB, whose findings it takes over, where the oldest was. */
static uint64_t add(struct jobs *j, struct job *job)
{
    do { /* 0 is none */
        random_bytes(&job->id, sizeof job->id);
    } while (job->id == 0);
    job->state = JOB_RUNNING;
    job->started_at_us = clock_wall_us();
    j->current = (j->current + 1) % JOBS_KEPT;
    free(current_of(j)->findings);
    *current_of(j) = *job;
    atomic_store(&j->cancelled, false);
    j->running = true;
    pthread_cond_signal(&j->wanted);
    return job->id;
}

static int start(struct jobs *j, struct job *job, uint64_t *ret_id)
{
    int rc = 0;
    pthread_mutex_lock(&j->lock);
    if (j->closing) {
        rc = STATUS_SHUTTING_DOWN;
    } else if (j->running) {
        rc = STATUS_JOB_RUNNING;
        *ret_id = current_of(j)->id;
    } else {
        *ret_id = add(j, job);
    }
    pthread_mutex_unlock(&j->lock);
    if (rc < 0) {
        free(job->findings);
    }
    return rc;
}

int jobs_start_backup(struct jobs *jobs, struct slice directory, uint64_t *ret_id,
                      struct errinfo *reason)
{
    struct job job = {.kind = JOB_BACKUP};
    REQUIRE(directory.length < sizeof job.directory);
    memcpy(job.directory, directory.data, directory.length);
    *reason = (struct errinfo){""};
    int rc = store_backup_check(jobs->store, job.directory, reason);
    if (rc < 0) {
        return rc;
    }
    memcpy(job.warning, reason->message, sizeof job.warning);
    *reason = (struct errinfo){""};
    return start(jobs, &job, ret_id);
}

int jobs_start_verification(struct jobs *jobs, uint64_t *ret_id)
{
    struct job job = {
        .kind = JOB_VERIFICATION,
        .findings = calloc(JOB_FINDINGS_MAX, sizeof(struct job_finding)),
    };
    return job.findings == NULL ? STATUS_NO_MEMORY : start(jobs, &job, ret_id);
}

/* With the lock held; NULL: there is none. */
static const struct job *find(const struct jobs *j, uint64_t id)
{
    for (size_t i = 0; i < JOBS_KEPT && id != 0; i++) {
        if (j->jobs[i].id == id) {
            return &j->jobs[i];
        }
    }
    return NULL;
}

int jobs_get(struct jobs *jobs, uint64_t id, struct arena *arena, struct job *ret)
{
    pthread_mutex_lock(&jobs->lock);
    const struct job *job = find(jobs, id);
    if (job != NULL) {
        *ret = *job;
        ret->findings = arena_need(arena, (job->n_kept + 1) * sizeof *job->findings);
        for (size_t i = 0; i < job->n_kept; i++) {
            ret->findings[i] = job->findings[i];
        }
    }
    pthread_mutex_unlock(&jobs->lock);
    return job == NULL ? STATUS_JOB_NOT_FOUND : 0;
}

int jobs_cancel(struct jobs *jobs, uint64_t id)
{
    pthread_mutex_lock(&jobs->lock);
    const struct job *job = find(jobs, id);
    if (job != NULL && job->state == JOB_RUNNING) {
        atomic_store(&jobs->cancelled, true);
    }
    pthread_mutex_unlock(&jobs->lock);
    return job == NULL ? STATUS_JOB_NOT_FOUND : 0;
}

void jobs_drain(struct jobs *jobs)
{
    if (jobs == NULL) {
        return;
    }
    pthread_mutex_lock(&jobs->lock);
    jobs->closing = true;
    atomic_store(&jobs->cancelled, true);
    pthread_cond_signal(&jobs->wanted);
    pthread_mutex_unlock(&jobs->lock);
}

void jobs_destroy(struct jobs *jobs)
{
    if (jobs == NULL) {
        return;
    }
    jobs_drain(jobs);
    INVARIANT(pthread_join(jobs->thread, NULL) == 0);
    INVARIANT(pthread_cond_destroy(&jobs->wanted) == 0);
    INVARIANT(pthread_mutex_destroy(&jobs->lock) == 0);
    for (size_t i = 0; i < JOBS_KEPT; i++) {
        free(jobs->jobs[i].findings);
    }
    free(jobs);
}
