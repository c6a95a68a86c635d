#include "billingctl/ctl.h"

#include <stdarg.h>
#include <string.h>

#include "billingctl/config.h"
#include "billingctl/help.h"
#include "billingctl/last_words.h"
#include "billingctl/say.h"
#include "billingctl/values.h"

/* --- what was asked --------------------------------------------------------------------------- */

const char *ctl_arg(const struct ctl *ctl, size_t index)
{
    size_t word = command_words(ctl->command) + index;
    return word < ctl->options.word_count ? ctl->options.words[word] : NULL;
}

const char *ctl_value(const struct ctl *ctl, enum flag_id id)
{
    return ctl->options.values[id];
}

int ctl_usage(const struct ctl *ctl, const char *format, ...)
{
    struct text message = {0};
    struct text usage = {0};
    va_list args;
    va_start(args, format);
    text_vprintf(&message, format, args);
    va_end(args);
    help_put_usage(&usage, ctl->command);
    say("%s", text_of(&message));
    say_text(text_of(&usage));
    text_done(&message);
    text_done(&usage);
    return CTL_USAGE;
}

int ctl_usage_value(const struct ctl *ctl, enum flag_id id, const struct reason *reason)
{
    return ctl_usage(ctl, "--%s: %s", flag_table[id].name, reason->text);
}

int ctl_time(const struct ctl *ctl, enum flag_id id, int64_t *ret_us)
{
    const char *text = ctl_value(ctl, id);
    struct reason reason;
    if (text != NULL && !value_time(text, ret_us, &reason)) {
        return ctl_usage_value(ctl, id, &reason);
    }
    return CTL_DONE;
}

static bool records(const struct ctl *ctl)
{
    return (ctl->command->traits & COMMAND_RECORDS) != 0 &&
           !options_has(&ctl->options, FLAG_DRY_RUN);
}

/* Whether it all happens under one request id. */
static bool records_one(const struct ctl *ctl)
{
    return records(ctl) && !options_has(&ctl->options, FLAG_ALL);
}

/* --- calls that failed ------------------------------------------------------------------------ */

int ctl_exit_status(int status)
{
    switch (status) {
    case BILLING_OK:
        return CTL_DONE;
    case BILLING_E_UNKNOWN:
        return CTL_UNKNOWN;
    case BILLING_E_ARGUMENT:
    case BILLING_E_RANGE:
        return CTL_USAGE;
    case BILLING_E_NOT_RECORDED:
    case BILLING_E_NO_MEMORY: /* before anything was sent */
    case BILLING_E_SYSTEM:    /* likewise */
        return CTL_NOT_RECORDED;
    default:
        return CTL_REFUSED;
    }
}

/* What the user called FIELD of the request. */
static void put_field_name(const struct ctl *ctl, const char *field, struct text *ret)
{
    for (int i = 0; i < FLAG__COUNT; i++) {
        const struct flag *flag = &flag_table[i];
        if (flag->field != NULL && strcmp(flag->field, field) == 0 &&
            ctl->options.values[i] != NULL) {
            text_printf(ret, "--%s", flag->name);
            return;
        }
    }
    text_puts(ret, field);
}

static void say_fields(const struct ctl *ctl, const billing_error *error)
{
    for (size_t i = 0; i < billing_error_field_count(error); i++) {
        struct text name = {0};
        put_field_name(ctl, billing_error_field_name(error, i), &name);
        say_more("%s: %s (%s)", text_of(&name), billing_error_field_message(error, i),
                 billing_error_field_code(error, i));
        text_done(&name);
    }
}

/* Whether what the line of the only wrong field says is all that the detail does. */
static bool is_said_by_field(const billing_error *error)
{
    const char *detail = billing_error_detail(error);
    if (detail == NULL || billing_error_field_count(error) != 1) {
        return false;
    }
    const char *message = billing_error_field_message(error, 0);
    size_t length = strlen(detail);
    return length >= strlen(message) && strcmp(detail + length - strlen(message), message) == 0;
}

void ctl_say_error(const struct ctl *ctl, int status, const billing_error *error)
{
    if (error == NULL) {
        say("%s", billing_strerror(status));
        return;
    }
    say("%s (%s)",
        is_said_by_field(error) ? billing_error_title(error) : billing_error_message(error),
        billing_error_code(error));
    say_fields(ctl, error);
    if (billing_error_existing_id(error) != NULL) {
        say_more("existing id: %s", billing_error_existing_id(error));
    }
}

/* Append the command line again, with the request id that settles what became of it. */
static void put_how_to_settle(const struct ctl *ctl, struct text *ret)
{
    const char *request_id = ctl->request_id;
    struct text line = {0};
    text_put_shell(&line, ctl->argv[0]);
    if (request_id != NULL && !options_has(&ctl->options, FLAG_REQUEST_ID)) {
        text_puts(&line, " --request-id ");
        text_put_shell(&line, request_id);
    }
    for (int i = 1; i < ctl->argc; i++) {
        text_puts(&line, " ");
        text_put_shell(&line, ctl->argv[i]);
    }
    if (request_id != NULL) {
        say_put(ret, "whether it was recorded is not known; its request id is %s", request_id);
    } else {
        say_put(ret, "whether it was done is not known; doing it again does no harm");
    }
    say_put(ret, "to settle it, run: %s", text_of(&line));
    text_done(&line);
}

int ctl_failed(const struct ctl *ctl, int status, billing_error *error)
{
    int code = ctl_exit_status(status);
    ctl_say_error(ctl, status, error);
    if (code == CTL_UNKNOWN) {
        struct text advice = {0};
        put_how_to_settle(ctl, &advice);
        say_text(text_of(&advice));
        text_done(&advice);
    } else if (code == CTL_NOT_RECORDED && records_one(ctl)) {
        say("nothing was recorded; it can be run again");
    }
    billing_error_free(error);
    return code;
}

int ctl_finish(const struct ctl *ctl, int status, billing_object *reply, billing_error *error,
               const char *member)
{
    if (status != 0) {
        return ctl_failed(ctl, status, error);
    }
    output_object(ctl->format, reply, member);
    billing_object_free(reply);
    return CTL_DONE;
}

/* --- the run ---------------------------------------------------------------------------------- */

static int apply_flags(const struct ctl *ctl, billing_options *options)
{
    const char *url = ctl_value(ctl, FLAG_SERVER);
    const char *timeout = ctl_value(ctl, FLAG_TIMEOUT);
    int64_t timeout_ms;
    if (url != NULL && billing_options_set_url(options, url) != 0) {
        return ctl_usage(ctl, "--server: '%s' is no URL like unix:///path or tcp://host:port", url);
    }
    if (timeout != NULL && (billing_duration_parse(timeout, &timeout_ms) != 0 ||
                            billing_options_set_timeout_ms(options, timeout_ms) != 0)) {
        return ctl_usage(ctl, "--timeout: '%s' is no duration like 5s, up to a week", timeout);
    }
    const char *token_file = ctl_value(ctl, FLAG_TOKEN_FILE);
    if (token_file != NULL && billing_options_set_token_file(options, token_file) != 0) {
        return ctl_usage(ctl, "--token-file: '%s' is not the path of a file", token_file);
    }
    return CTL_DONE;
}

static int open_client(struct ctl *ctl)
{
    struct reason reason;
    billing_options *options = billing_options_new();
    int code = CTL_DONE;
    if (options == NULL) {
        say("%s", billing_strerror(BILLING_E_NO_MEMORY));
        return CTL_NOT_RECORDED;
    }
    if (!config_load(options, &reason)) {
        say("%s", reason.text);
        code = CTL_USAGE;
    } else {
        code = apply_flags(ctl, options);
    }
    if (code == CTL_DONE) {
        int status = billing_client_new(options, &ctl->client);
        code = ctl_exit_status(status);
        if (status != 0) {
            say("%s", billing_strerror(status));
        }
    }
    billing_options_free(options);
    return code;
}

/* The request id is made before the first try, so that it can be told whatever comes. */
static int make_request_id(struct ctl *ctl)
{
    ctl->request_id = ctl_value(ctl, FLAG_REQUEST_ID);
    if (ctl->request_id != NULL || !records_one(ctl)) {
        return CTL_DONE;
    }
    int status = billing_request_id_new(ctl->request_id_made, sizeof ctl->request_id_made);
    if (status != 0) {
        say("cannot make a request id: %s", billing_strerror(status));
        return ctl_exit_status(status);
    }
    ctl->request_id = ctl->request_id_made;
    return CTL_DONE;
}

static int check_output(struct ctl *ctl)
{
    const char *name = ctl_value(ctl, FLAG_OUTPUT);
    struct reason reason;
    int format = OUTPUT_TABLE;
    if (name != NULL && !value_word(name, flag_table[FLAG_OUTPUT].words, &format, &reason)) {
        return ctl_usage_value(ctl, FLAG_OUTPUT, &reason);
    }
    if (format == OUTPUT_ID && (ctl->command->traits & COMMAND_HAS_ID) == 0) {
        return ctl_usage(ctl, "--output: the result has no id");
    }
    ctl->format = (enum output_format)format;
    return CTL_DONE;
}

/* A request id of our own making is known to nobody else, should a signal end the call. */
static void keep_last_words(const struct ctl *ctl)
{
    static struct text advice; /* for as long as we run */
    if (records(ctl)) {
        put_how_to_settle(ctl, &advice);
        last_words_set(text_of(&advice));
    }
}

static int run_command(struct ctl *ctl)
{
    int code = check_output(ctl);
    if (code == CTL_DONE && (ctl->command->traits & COMMAND_LOCAL) == 0) {
        code = open_client(ctl);
    }
    if (code == CTL_DONE) {
        code = make_request_id(ctl);
    }
    if (code == CTL_DONE) {
        keep_last_words(ctl);
        code = ctl->command->run(ctl);
    }
    if (code == CTL_DONE && records_one(ctl) && !output_flush()) {
        say("it is recorded, under request id %s", ctl->request_id); /* though nobody sees it */
    }
    billing_client_free(ctl->client);
    return code;
}

int ctl_run(int argc, char *const *argv)
{
    struct ctl ctl = {.argc = argc, .argv = argv};
    struct reason reason;
    if (!options_parse(argc, argv, &ctl.options, &reason)) {
        ctl.command = command_find(&ctl.options, &(struct reason){""});
        return ctl_usage(&ctl, "%s", reason.text);
    }
    if (options_has(&ctl.options, FLAG_VERSION)) {
        return help_print_version();
    }
    if (options_has(&ctl.options, FLAG_HELP)) {
        return help_print(ctl.options.words, ctl.options.word_count);
    }
    ctl.command = command_find(&ctl.options, &reason);
    if (ctl.command == NULL || !command_check(ctl.command, &ctl.options, &reason)) {
        return ctl_usage(&ctl, "%s", reason.text);
    }
    return run_command(&ctl);
}
