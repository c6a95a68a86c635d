#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <billing/admin.h>

#include "billingctl/ctl.h"
#include "billingctl/nouns.h"
#include "billingctl/pages.h"
#include "billingctl/say.h"
#include "billingctl/values.h"

/* --- create ----------------------------------------------------------------------------------- */

static int set_role(const struct ctl *ctl, billing_key_input *input)
{
    static const billing_role roles[] = {BILLING_ROLE_READER, BILLING_ROLE_WRITER,
                                         BILLING_ROLE_ADMIN};
    struct reason reason;
    int role;
    if (!value_word(ctl_value(ctl, FLAG_ROLE), flag_table[FLAG_ROLE].words, &role, &reason)) {
        return ctl_usage_value(ctl, FLAG_ROLE, &reason);
    }
    return ctl_exit_status(billing_key_input_set_role(input, roles[role]));
}

static int set_expiry(const struct ctl *ctl, billing_key_input *input)
{
    const char *text = ctl_value(ctl, FLAG_EXPIRES);
    struct timespec now;
    struct reason reason;
    int64_t expires_us;
    if (text == NULL) {
        return CTL_DONE;
    }
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) {
        say("cannot tell the time: %s", strerror(errno));
        return CTL_REFUSED;
    }
    int64_t now_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    if (!value_expiry(text, now_us, &expires_us, &reason)) {
        return ctl_usage_value(ctl, FLAG_EXPIRES, &reason);
    }
    return ctl_exit_status(billing_key_input_set_expires_us(input, expires_us));
}

/* Where a setter fails for want of memory, so does the call: no need to look here. */
static int set_input(const struct ctl *ctl, billing_key_input *input)
{
    const struct many *services = &ctl->options.services;
    (void)billing_key_input_set_name(input, ctl_value(ctl, FLAG_NAME));
    for (size_t i = 0; i < services->count; i++) {
        (void)billing_key_input_add_service(input, services->values[i]);
    }
    int code = set_role(ctl, input);
    return code == CTL_DONE ? set_expiry(ctl, input) : code;
}

/* The members of the key, with the secret in front. */
static void print_key_csv(const billing_object *reply)
{
    const billing_object *key = billing_object_child(reply, "api_key");
    struct text header = {0};
    struct text row = {0};
    struct text cell = {0};
    const char *name;
    output_csv_field(&header, 0, "key");
    output_csv_field(&row, 0, output_value(reply, "key"));
    for (size_t i = 0; (name = billing_object_field_name(key, i)) != NULL; i++) {
        output_csv_field(&header, i + 1, name);
        text_clear(&cell);
        output_cell(key, name, &cell);
        output_csv_field(&row, i + 1, text_of(&cell));
    }
    output_csv_end(&header);
    output_csv_end(&row);
    text_done(&cell);
}

static void print_key(const struct ctl *ctl, const billing_object *reply)
{
    switch (ctl->format) {
    case OUTPUT_TABLE:
        output_object(OUTPUT_TABLE, reply, "api_key");
        output_text(output_value(reply, "key"));
        output_text("\n");
        break;
    case OUTPUT_JSON:
        output_object(OUTPUT_JSON, reply, NULL);
        break;
    case OUTPUT_CSV:
        print_key_csv(reply);
        break;
    case OUTPUT_ID: /* key_create() has refused it */
        break;
    }
}

/* What has to be known of a key that is there now, whether or not it could be printed. */
static void say_key(const struct ctl *ctl, const billing_object *reply)
{
    const char *id = output_value(reply, "api_key.id");
    if (!output_flush()) {
        say("the key could not be written and is lost; run: billingctl key revoke %s", id);
    } else if (ctl->format == OUTPUT_TABLE) {
        say("the last line is the key; it is shown this once");
    }
}

/* Whether there is a key now that nobody has the secret of is for the list to tell. */
static int fail_to_create(const struct ctl *ctl, int status, billing_error *error)
{
    if (status != BILLING_E_UNKNOWN) {
        return ctl_failed(ctl, status, error);
    }
    ctl_say_error(ctl, status, error);
    say("whether the key was made is not known, and if it was, nobody has seen it");
    say("look for its name in: billingctl key list; revoke it, and make another");
    billing_error_free(error);
    return CTL_UNKNOWN;
}

int key_create(struct ctl *ctl)
{
    billing_object *reply;
    billing_error *error;
    if (ctl->format == OUTPUT_ID) { /* before there is a key that nobody has */
        return ctl_usage(ctl,
                         "--output: 'id' prints no key, and it is shown this once: take table, "
                         "json or csv");
    }
    billing_key_input *input = billing_key_input_new();
    if (input == NULL) {
        return ctl_failed(ctl, BILLING_E_NO_MEMORY, NULL);
    }
    int code = set_input(ctl, input);
    if (code == CTL_DONE) {
        int status = billing_key_create(ctl->client, input, &reply, &error);
        if (status != 0) {
            code = fail_to_create(ctl, status, error);
        } else {
            print_key(ctl, reply);
            say_key(ctl, reply);
            billing_object_free(reply);
        }
    }
    billing_key_input_free(input);
    return code;
}

/* --- list ------------------------------------------------------------------------------------- */

/* A query_fn: whether those too that are revoked. */
static int set_all(const struct ctl *ctl, billing_query *query)
{
    bool all = options_has(&ctl->options, FLAG_ALL);
    return ctl_exit_status(billing_query_set_include_revoked(query, all));
}

static int ask_page(const struct ctl *ctl, const billing_query *query, billing_object **ret_reply,
                    billing_error **ret_error)
{
    return billing_key_list(ctl->client, query, ret_reply, ret_error);
}

int key_list(struct ctl *ctl)
{
    static const struct column columns[] = {
        {"id", true, false},           {"name", true, false},        {"role", true, false},
        {"services", true, false},     {"created_at", false, false}, {"created_by", true, false},
        {"last_used_at", true, false}, {"expires_at", true, false},  {"revoked_at", true, false},
        {"revoked_by", false, false},
    };
    static const struct view view = {
        .member = "keys",
        .columns = columns,
        .column_count = sizeof columns / sizeof columns[0],
    };
    return pages_list(ctl, set_all, &view, ask_page);
}

/* --- revoke ----------------------------------------------------------------------------------- */

int key_revoke(struct ctl *ctl)
{
    billing_object *reply;
    billing_error *error;
    int status = billing_key_revoke(ctl->client, ctl_arg(ctl, 0), &reply, &error);
    return ctl_finish(ctl, status, reply, error, "api_key");
}
