#include "billingd/config_reload.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "billingd/base/assert.h"
#include "billingd/config_options.h"

enum {
    FIELD_BYTES_MAX = sizeof(struct config_list),
    VALUE_BYTES = 512, /* of a value as it is told; a longer one is cut */
};

static void *field_of(struct config *config, const struct config_option *option)
{
    return (char *)config + option->offset;
}

static size_t field_bytes(const struct config_option *option)
{
    switch (option->type) {
    case CONFIG_TEXT:
        return sizeof(char *);
    case CONFIG_LIST:
        return sizeof(struct config_list);
    case CONFIG_FLAG:
        return sizeof(bool);
    case CONFIG_COUNT:
    case CONFIG_BYTES:
    case CONFIG_DURATION:
    case CONFIG_MODE:
        break;
    }
    return sizeof(int64_t);
}

/* The value of OPTION in CONFIG, as the file would have it, but for units and secrets. */
static void print_value(const struct config_option *option, struct config *config,
                        char text[VALUE_BYTES])
{
    void *field = field_of(config, option);
    size_t length = 0;
    *text = '\0';
    switch (option->type) {
    case CONFIG_TEXT:
        IGNORE(snprintf(text, VALUE_BYTES, "%s", config_option_shown(option, *(char **)field)) <
               0); /* may be cut */
        break;
    case CONFIG_LIST:
        for (unsigned i = 0; i < ((struct config_list *)field)->n && length < VALUE_BYTES; i++) {
            length += (size_t)snprintf(text + length, VALUE_BYTES - length, "%s%s",
                                       i == 0 ? "" : " ", ((struct config_list *)field)->items[i]);
        }
        break;
    case CONFIG_FLAG:
        IGNORE(snprintf(text, VALUE_BYTES, "%s", *(bool *)field ? "true" : "false") < 0);
        break;
    case CONFIG_COUNT:
    case CONFIG_BYTES:
    case CONFIG_DURATION:
        IGNORE(snprintf(text, VALUE_BYTES, "%" PRId64, *(int64_t *)field) < 0);
        break;
    case CONFIG_MODE:
        IGNORE(snprintf(text, VALUE_BYTES, "0%03" PRIo64, *(uint64_t *)field) < 0);
        break;
    }
}

static bool texts_are_equal(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool lists_are_equal(const struct config_list *a, const struct config_list *b)
{
    bool equal = a->n == b->n;
    for (unsigned i = 0; equal && i < a->n; i++) {
        equal = strcmp(a->items[i], b->items[i]) == 0;
    }
    return equal;
}

static bool is_equal(const struct config_option *option, struct config *a, struct config *b)
{
    void *in_a = field_of(a, option);
    void *in_b = field_of(b, option);
    if (option->type == CONFIG_TEXT) {
        return texts_are_equal(*(char **)in_a, *(char **)in_b);
    }
    if (option->type == CONFIG_LIST) {
        return lists_are_equal(in_a, in_b);
    }
    return memcmp(in_a, in_b, field_bytes(option)) == 0;
}

/* So each of the two goes on owning what it has. */
static void swap(const struct config_option *option, struct config *a, struct config *b)
{
    char kept[FIELD_BYTES_MAX];
    size_t bytes = field_bytes(option);
    memcpy(kept, field_of(a, option), bytes);
    memcpy(field_of(a, option), field_of(b, option), bytes);
    memcpy(field_of(b, option), kept, bytes);
}

static void take_over(struct config *config, struct config *fresh, config_news_fn tell)
{
    char text[VALUE_BYTES];
    for (size_t i = 0; i < config_options_n; i++) {
        const struct config_option *option = &config_options[i];
        if (option->scope == CONFIG_ARGUMENT || is_equal(option, config, fresh)) {
            continue;
        }
        print_value(option, fresh, text);
        if (option->scope == CONFIG_RELOAD) {
            swap(option, config, fresh);
            tell(CONFIG_NEWS_CHANGED, option->name, text);
        } else {
            tell(CONFIG_NEWS_RESTART, option->name, text);
        }
    }
}

/* Each line of what config_load() had to say. */
static void tell_problems(char *problems, config_news_fn tell)
{
    char *rest;
    for (char *line = strtok_r(problems, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        tell(CONFIG_NEWS_WRONG, NULL, line);
    }
}

void config_reload_read(struct config_reload *reload)
{
    size_t bytes;
    FILE *errors = open_memstream(&reload->problems, &bytes);
    INVARIANT(errors != NULL);
    reload->status = config_load(reload->argc, reload->argv, &reload->fresh, errors);
    INVARIANT(fclose(errors) == 0);
    if (reload->status == 0) {
        reload->status = reload->accept(&reload->fresh, reload->arg);
    }
}

int config_reload_take(struct config_reload *reload, struct config *config)
{
    tell_problems(reload->problems, reload->tell);
    if (reload->status == 0) {
        take_over(config, &reload->fresh, reload->tell);
    }
    config_reload_drop(reload);
    return reload->status;
}

void config_reload_drop(struct config_reload *reload)
{
    config_done(&reload->fresh);
    free(reload->problems);
    reload->problems = NULL;
}
