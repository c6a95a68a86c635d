/* Long work of the daemon: started, watched until it ends, cancelled where a signal says so.
 *
 * The daemon works whether or not anybody watches, so the end of the connection is no end of the
 * job.  The first signal cancels it and waits for its end; the second one ends us at once. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <billing/admin.h>

#include "billingctl/ctl.h"
#include "billingctl/list.h"
#include "billingctl/nouns.h"
#include "billingctl/progress.h"
#include "billingctl/say.h"
#include "billingctl/stop.h"

enum {
    LOOK_AFTER_MS = 10, /* and then each time twice as long, up to */
    LOOK_AFTER_MS_MAX = 500,
};

/* --- watching --------------------------------------------------------------------------------- */

struct watch {
    const struct ctl *ctl;
    billing_object *job; /* the last reply about it; owned */
    struct progress progress;
    bool cancelled; /* the daemon was told */
};

static bool is_state(const struct watch *watch, const char *state)
{
    return strcmp(output_value(watch->job, "job.state"), state) == 0;
}

/* Take over what a call about the job returned.  Where it says nothing of it, for whatever reason,
 * the job may have come to its end all the same. */
static int take_reply(struct watch *watch, int status, billing_object *reply, billing_error *error)
{
    if (status != 0) {
        progress_end(&watch->progress);
        (void)ctl_failed(watch->ctl, status, error); /* says it */
        say("what became of the job %s is not known", output_value(watch->job, "job.id"));
        return CTL_UNKNOWN;
    }
    billing_object_free(watch->job);
    watch->job = reply;
    progress_update_steps(&watch->progress, billing_object_uint64(reply, "job.steps_done"),
                          billing_object_uint64(reply, "job.steps"));
    return CTL_DONE;
}

static int look(struct watch *watch)
{
    billing_object *reply = NULL;
    billing_error *error = NULL;
    const char *id = output_value(watch->job, "job.id");
    bool cancel = stop_asked() != 0 && !watch->cancelled;
    int status = cancel ? billing_job_cancel(watch->ctl->client, id, &reply, &error)
                        : billing_job_get(watch->ctl->client, id, &reply, &error);
    watch->cancelled |= cancel;
    return take_reply(watch, status, reply, error);
}

/* A signal ends the wait. */
static void wait_ms(int ms)
{
    struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    if (nanosleep(&wait, NULL) != 0 && errno != EINTR) {
        say("cannot wait: %s", strerror(errno));
    }
}

static int watch_to_end(struct watch *watch)
{
    int ms = LOOK_AFTER_MS;
    while (is_state(watch, "running")) {
        if (watch->cancelled || stop_asked() == 0) { /* else there is something to say first */
            wait_ms(watch->cancelled ? LOOK_AFTER_MS : ms);
        }
        ms = ms < LOOK_AFTER_MS_MAX / 2 ? ms * 2 : LOOK_AFTER_MS_MAX;
        int code = look(watch);
        if (code != CTL_DONE) {
            return code;
        }
    }
    return CTL_DONE;
}

/* How the job, which has ended, makes us end. */
static int judge(const struct watch *watch)
{
    if (is_state(watch, "done")) {
        if (watch->cancelled) {
            say("it was done before it could be cancelled");
        }
        return CTL_DONE;
    }
    if (is_state(watch, "cancelled") && watch->cancelled) {
        say("cancelled");
        return CTL_SIGNAL + stop_asked();
    }
    if (is_state(watch, "cancelled")) {
        say("the job was cancelled by somebody else");
    } else {
        say("the job failed: %s", output_value(watch->job, "job.detail"));
    }
    return CTL_REFUSED;
}

/* Watch the job that a call has begun, as it returned.  On CTL_DONE *RET_JOB, the reply about the
 * job that is done, is to be freed. */
static int watch_job(const struct ctl *ctl, int status, billing_object *reply, billing_error *error,
                     billing_object **ret_job)
{
    struct watch watch = {.ctl = ctl, .job = reply};
    if (status != 0) {
        return ctl_failed(ctl, status, error);
    }
    progress_begin(&watch.progress, 0, !options_has(&ctl->options, FLAG_QUIET));
    int code = watch_to_end(&watch);
    progress_end(&watch.progress);
    if (code == CTL_DONE) {
        code = judge(&watch);
    }
    if (code != CTL_DONE) {
        billing_object_free(watch.job);
        return code;
    }
    *ret_job = watch.job;
    return CTL_DONE;
}

/* --- backup ----------------------------------------------------------------------------------- */

/* The absolute path of the directory that the command line names, to be freed.  A relative one is
 * from here, which means something to a daemon on this host alone. */
static int get_directory(const struct ctl *ctl, char **ret)
{
    const char *directory = ctl_arg(ctl, 0);
    const char *url = billing_client_url(ctl->client);
    struct text path = {0};
    if (*directory != '/' && strncmp(url, "unix:", 5) != 0) {
        return ctl_usage(ctl, "DIR: '%s' is not a path from / on, on the host of %s", directory,
                         url);
    }
    if (*directory != '/') {
        char *here = getcwd(NULL, 0);
        if (here == NULL) {
            say("cannot tell the working directory: %s", strerror(errno));
            return CTL_REFUSED;
        }
        text_printf(&path, "%s/", strcmp(here, "/") == 0 ? "" : here);
        free(here);
    }
    text_puts(&path, directory);
    *ret = path.data; /* never empty */
    return CTL_DONE;
}

int server_backup(struct ctl *ctl)
{
    char *directory = NULL;
    billing_object *reply = NULL;
    billing_error *error = NULL;
    int code = get_directory(ctl, &directory);
    if (code != CTL_DONE) {
        return code;
    }
    stop_catch();
    int status = billing_backup_start(ctl->client, directory, &reply, &error);
    free(directory);
    if (status == 0 && *output_value(reply, "job.warning") != '\0') {
        say("warning: %s", output_value(reply, "job.warning"));
    }
    code = watch_job(ctl, status, reply, error, &reply);
    if (code == CTL_DONE) {
        output_object(ctl->format, reply, "job");
        billing_object_free(reply);
    }
    return code;
}

/* --- cancel ----------------------------------------------------------------------------------- */

int server_cancel(struct ctl *ctl)
{
    billing_object *reply = NULL;
    billing_error *error = NULL;
    int status = billing_job_cancel(ctl->client, ctl_arg(ctl, 0), &reply, &error);
    return ctl_finish(ctl, status, reply, error, "job");
}

/* --- verify ----------------------------------------------------------------------------------- */

/* What is wrong, or in a table ok where nothing is. */
static void print_findings(enum output_format format, const billing_object *reply)
{
    static const struct column columns[] = {
        {"fault", true, false}, {"table", true, false}, {"record", true, false},
        {"rows", true, true},   {"text", true, false},
    };
    static const struct view view = {
        .member = "job.findings",
        .columns = columns,
        .column_count = sizeof columns / sizeof columns[0],
    };
    struct list list = {.format = format, .view = &view};
    if (format == OUTPUT_TABLE && billing_object_uint64(reply, "job.findings_count") == 0) {
        output_text("ok\n");
        return;
    }
    list_add_page(&list, reply, SIZE_MAX);
    list_end(&list, NULL);
}

static void print_verification(const struct ctl *ctl, const billing_object *reply)
{
    if (ctl->format == OUTPUT_JSON || ctl->format == OUTPUT_ID) {
        output_object(ctl->format, reply, "job");
    } else {
        print_findings(ctl->format, reply);
    }
    if (!options_has(&ctl->options, FLAG_QUIET)) {
        say("%" PRIu64 " records and %" PRIu64 " rows checked, up to journal position %" PRIu64,
            billing_object_uint64(reply, "job.records"), billing_object_uint64(reply, "job.rows"),
            billing_object_uint64(reply, "job.journal_position"));
    }
}

/* How the findings make us end. */
static int judge_findings(const billing_object *reply)
{
    uint64_t count = billing_object_uint64(reply, "job.findings_count");
    uint64_t listed = billing_object_count(reply, "job.findings");
    if (count == 0) {
        return CTL_DONE;
    }
    say("findings: %" PRIu64, count);
    if (count > listed) {
        say("the first %" PRIu64 " are listed", listed);
    }
    return CTL_REFUSED;
}

int server_verify(struct ctl *ctl)
{
    billing_object *reply = NULL;
    billing_error *error = NULL;
    stop_catch();
    int status = billing_verification_start(ctl->client, &reply, &error);
    int code = watch_job(ctl, status, reply, error, &reply);
    if (code == CTL_DONE) {
        print_verification(ctl, reply);
        code = judge_findings(reply);
        billing_object_free(reply);
    }
    return code;
}
