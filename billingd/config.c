#include "billingd/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "billingd/base/assert.h"
#include "billingd/config_check.h"
#include "billingd/config_file.h"
#include "billingd/config_options.h"

enum {
    PATH_BYTES_MAX = CONFIG_TEXT_BYTES_MAX + 1,
};

/* --- default places --------------------------------------------------------------------------- */

/* The first of the directories that systemd names in the variable NAME, its length in *RET_LENGTH;
 * NULL where there is none. */
static const char *first_directory(const char *name, size_t *ret_length)
{
    const char *value = getenv(name);
    *ret_length = value == NULL ? 0 : strcspn(value, ":");
    return *ret_length == 0 ? NULL : value;
}

/* The variable NAME where it is an absolute path, else NULL: so the XDG specification wants it. */
static const char *absolute_directory(const char *name, size_t *ret_length)
{
    const char *value = getenv(name);
    if (value == NULL || *value != '/') {
        return NULL;
    }
    *ret_length = strlen(value);
    return value;
}

static int join(char *buffer, size_t bytes, const char *directory, size_t length, const char *rest)
{
    int printed = snprintf(buffer, bytes, "%.*s%s", (int)length, directory, rest);
    return printed >= 0 && (size_t)printed < bytes ? 0 : STATUS_OUT_OF_BOUNDS;
}

int config_data_dir(char *buffer, size_t bytes)
{
    size_t length;
    const char *directory = first_directory("STATE_DIRECTORY", &length);
    if (directory != NULL) {
        return join(buffer, bytes, directory, length, "");
    }
    directory = absolute_directory("XDG_STATE_HOME", &length);
    if (directory != NULL) {
        return join(buffer, bytes, directory, length, "/billingd");
    }
    if (geteuid() == 0) {
        return join(buffer, bytes, "", 0, "/var/lib/billingd");
    }
    directory = absolute_directory("HOME", &length);
    if (directory != NULL) {
        return join(buffer, bytes, directory, length, "/.local/state/billingd");
    }
    return STATUS_OUT_OF_BOUNDS;
}

int config_socket_path(char *buffer, size_t bytes)
{
    size_t length;
    const char *directory = first_directory("RUNTIME_DIRECTORY", &length);
    if (directory == NULL) {
        directory = absolute_directory("XDG_RUNTIME_DIR", &length);
    }
    if (directory != NULL) {
        return join(buffer, bytes, directory, length, "/billingd.sock");
    }
    if (geteuid() == 0) {
        return join(buffer, bytes, "", 0, "/run/billingd/billingd.sock");
    }
    return STATUS_OUT_OF_BOUNDS;
}

/* --- the command line ------------------------------------------------------------------------- */

static const struct config_origin from_flag = {.from = CONFIG_FROM_FLAG};

/* Take the flag OPTION, with what stands behind its '=' or NULL, and NEXT, the word behind it or
 * NULL.  Returns how many words that were, one or two. */
static int take_flag(struct config_load *load, const struct config_option *option,
                     const char *value, const char *next)
{
    int words = 1;
    if (value == NULL && option->type == CONFIG_FLAG) {
        value = "true";
    } else if (value == NULL && next != NULL && strncmp(next, "--", 2) != 0) {
        value = next;
        words = 2;
    }
    struct config_origin *origin = config_option_origin(load, option);
    if (value == NULL) {
        config_problem(load, from_flag, option->name, "a value is missing");
    } else if (origin->from == CONFIG_FROM_FLAG && option->type != CONFIG_LIST) {
        config_problem(load, from_flag, option->name, "given twice, again as '%s'",
                       config_option_shown(option, value));
    } else {
        config_option_take(load, option, from_flag, value, load->config);
    }
    *origin = from_flag;
    return words;
}

static void load_flags(struct config_load *load, int argc, char *const *argv)
{
    for (int i = 1; i < argc;) {
        const char *word = argv[i];
        if (*word != '-') {
            config_problem(load, from_flag, NULL, "'%s' is a word too many", word);
            i++;
            continue;
        }
        size_t dashes = strncmp(word, "--", 2) == 0 ? 2 : 0;
        size_t length = strcspn(word + dashes, "=");
        const struct config_option *option =
            dashes == 0 ? NULL : config_option_by_flag(word + dashes, length);
        if (option == NULL) {
            config_problem(load, from_flag, NULL, "'%.*s' is not an option (see --help)",
                           (int)(dashes + length), word);
            i++;
            continue;
        }
        const char *value = word[dashes + length] == '=' ? word + dashes + length + 1 : NULL;
        i += take_flag(load, option, value, i + 1 < argc ? argv[i + 1] : NULL);
    }
}

/* --- defaults --------------------------------------------------------------------------------- */

/* The first thing: so every later step finds values that are in bounds, whatever was refused. */
static void load_table(struct config *config)
{
    for (size_t i = 0; i < config_options_n; i++) {
        const struct config_option *option = &config_options[i];
        int rc = option->fallback == NULL ? 0 : config_option_set(option, option->fallback, config);
        INVARIANT(rc == 0);
    }
}

/* Give the option NAME, unless somebody has said something about it, what FIND finds behind
 * PREFIX. */
static void load_place(struct config_load *load, const char *name, const char *prefix,
                       int (*find)(char *buffer, size_t bytes), const char *variables)
{
    const struct config_option *option = config_option_by_name(name);
    struct config_origin origin = *config_option_origin(load, option);
    size_t length = strlen(prefix);
    char text[PATH_BYTES_MAX] = "";
    if (origin.from != CONFIG_FROM_TABLE) {
        return;
    }
    memcpy(text, prefix, length);
    if (find(text + length, sizeof text - length) < 0) {
        config_problem(load, origin, name, "not given, and %s give no place for it", variables);
        return;
    }
    config_option_take(load, option, origin, text, load->config);
}

/* --- all -------------------------------------------------------------------------------------- */

int config_load(int argc, char *const *argv, struct config *ret, FILE *errors)
{
    *ret = (struct config){0};
    struct config_load load = {.config = ret, .errors = errors};
    load_table(ret);
    load_flags(&load, argc, argv);
    bool serves = !ret->help && !ret->version;
    if (serves && ret->config_file != NULL) {
        load.file = ret->config_file;
        config_file_load(&load);
    }
    if (serves) {
        load_place(&load, "data_dir", "", config_data_dir,
                   "STATE_DIRECTORY, XDG_STATE_HOME and HOME");
        load_place(&load, "listen", "unix:", config_socket_path,
                   "RUNTIME_DIRECTORY and XDG_RUNTIME_DIR");
        config_check(&load);
    }
    return load.problems == 0 ? 0 : STATUS_OUT_OF_BOUNDS;
}

static void free_list(struct config_list *list)
{
    for (unsigned i = 0; i < list->n; i++) {
        free(list->items[i]);
    }
}

void config_done(struct config *config)
{
    for (size_t i = 0; i < config_options_n; i++) {
        void *field = (char *)config + config_options[i].offset;
        if (config_options[i].type == CONFIG_TEXT) {
            free(*(char **)field);
        } else if (config_options[i].type == CONFIG_LIST) {
            free_list(field);
        }
    }
    *config = (struct config){0};
}
