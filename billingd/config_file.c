#include "billingd/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libconfig.h>

#include "billingd/base/assert.h"

enum {
    FILE_BYTES_MAX = 1024 * 1024, /* each option ten times over, with many words about it */
};

/* --- the text --------------------------------------------------------------------------------- */

/* A FIFO would be waited for, a device may be anything, and neither can be read again at SIGHUP.
 * NULL, having said why. */
static FILE *open_file(struct config_load *load)
{
    const struct config_origin origin = {.from = CONFIG_FROM_FLAG};
    struct stat about;
    int fd = open(load->file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &about) < 0) {
        config_problem(load, origin, "config", "cannot open '%s': %s", load->file, strerror(errno));
    } else if (!S_ISREG(about.st_mode)) {
        config_problem(load, origin, "config", "cannot read '%s': it is not a regular file but %s",
                       load->file,
                       S_ISDIR(about.st_mode)    ? "a directory"
                       : S_ISFIFO(about.st_mode) ? "a FIFO"
                                                 : "a device");
    } else {
        FILE *file = fdopen(fd, "r");
        INVARIANT(file != NULL);
        return file;
    }
    if (fd >= 0) {
        close(fd);
    }
    return NULL;
}

/* The whole file, a newline and a NUL behind it; free it.  NULL, having said why. */
static char *read_text(struct config_load *load, size_t *ret_length)
{
    const struct config_origin origin = {.from = CONFIG_FROM_FLAG};
    FILE *file = open_file(load);
    if (file == NULL) {
        return NULL;
    }
    char *text = malloc(FILE_BYTES_MAX + 2);
    INVARIANT(text != NULL);
    size_t length = fread(text, 1, FILE_BYTES_MAX, file);
    bool failed = ferror(file) != 0;
    int error = errno;
    bool too_long = !failed && fgetc(file) != EOF;
    IGNORE(fclose(file) != 0); /* was read only */
    if (failed || too_long) {
        config_problem(load, origin, "config", "cannot read '%s': %s", load->file,
                       failed ? strerror(error) : "larger than 1MiB");
        free(text);
        return NULL;
    }
    text[length] = '\n'; /* libconfig takes no comment that ends without one */
    text[length + 1] = '\0';
    *ret_length = length + 1;
    return text;
}

/* The first byte behind the string that begins at AT, or NULL where it does not end. */
static const char *skip_string(const char *at)
{
    for (at++; *at != '\0' && *at != '"'; at++) {
        at += *at == '\\' && at[1] != '\0';
    }
    return *at == '"' ? at + 1 : NULL;
}

/* What words, numbers and marks consist of. */
static const char word_bytes[] = "abcdefghijklmnopqrstuvwxyz"
                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "0123456789_*+-.";

/* The first byte behind the string, comment, word or character at AT; or NULL, and what stands
 * there that must not reach libconfig. */
static const char *skip_token(const char *at, const char **ret_what)
{
    if (*at == '\0') {
        *ret_what = "a NUL stands here";
        return NULL;
    }
    if (*at == '@') {
        *ret_what = "'@' stands here, but '@include' is not supported";
        return NULL;
    }
    if (*at == '"') {
        *ret_what = "the text that begins here has no end";
        return skip_string(at);
    }
    if (strncmp(at, "/*", 2) == 0) {
        const char *end = strstr(at + 2, "*/");
        *ret_what = "the comment that begins here has no end";
        return end == NULL ? NULL : end + 2;
    }
    if (*at == '#' || strncmp(at, "//", 2) == 0) {
        return at + strcspn(at, "\n");
    }
    size_t word = strspn(at, word_bytes);
    return at + (word == 0 ? 1 : word);
}

static bool is_integer(const char *at, const char *behind)
{
    at += *at == '+' || *at == '-';
    return at < behind && at + strspn(at, "0123456789") == behind;
}

static unsigned line_of(const char *text, const char *at)
{
    unsigned line = 1;
    for (; text < at; text++) {
        line += *text == '\n';
    }
    return line;
}

/* The LENGTH bytes at TEXT, without what libconfig would get wrong and say nothing: it opens any
 * file that @include names; takes a comment without end, or a NUL, for the end of the file; and
 * cuts a whole number to 32 bits (1.5 does) unless an L follows it.  So numbers get their L, and at
 * the rest the text is cut off, which is said.  Free it. */
static char *disarm_text(struct config_load *load, const char *text, size_t length)
{
    char *disarmed = malloc(2 * length + 1); /* no number without a digit, no digit with two L */
    INVARIANT(disarmed != NULL);
    char *out = disarmed;
    for (const char *at = text; at < text + length;) {
        const char *what;
        const char *behind = skip_token(at, &what);
        if (behind == NULL) {
            struct config_origin origin = {CONFIG_FROM_FILE, line_of(text, at)};
            config_problem(load, origin, NULL, "%s; from here on nothing was read", what);
            break;
        }
        memcpy(out, at, (size_t)(behind - at));
        out += behind - at;
        if (is_integer(at, behind)) {
            *out++ = 'L';
        }
        at = behind;
    }
    *out = '\0';
    return disarmed;
}

/* --- values ----------------------------------------------------------------------------------- */

/* CONFIG_FORM_* of SETTING, 0 where it is none, and in SPELLED its text if it is one, as a flag
 * would have it. */
static unsigned spell(const config_setting_t *setting, const char **ret_text, char spelled[24])
{
    *ret_text = spelled;
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_STRING:
        *ret_text = config_setting_get_string(setting);
        return CONFIG_FORM_STRING;
    case CONFIG_TYPE_BOOL:
        *ret_text = config_setting_get_bool(setting) ? "true" : "false";
        return CONFIG_FORM_BOOL;
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        if (config_setting_get_format(setting) != CONFIG_FORMAT_DEFAULT) {
            return 0; /* libconfig cuts hexadecimal numbers to 32 bits */
        }
        IGNORE(snprintf(spelled, 24, "%lld", config_setting_get_int64(setting)) < 0); /* fits */
        return CONFIG_FORM_NUMBER;
    case CONFIG_TYPE_ARRAY:
        return CONFIG_FORM_ARRAY;
    default: /* groups, lists, fractions: int, not an enum of ours */
        return 0;
    }
}

static void take_array(struct config_load *load, const struct config_option *option,
                       struct config_origin origin, const config_setting_t *array,
                       struct config *into)
{
    unsigned n = (unsigned)config_setting_length(array);
    if (n == 0) {
        config_problem(load, origin, option->name, "an empty array: leave the name out");
    }
    for (unsigned i = 0; i < n; i++) {
        const config_setting_t *item = config_setting_get_elem(array, i);
        if (config_setting_type(item) != CONFIG_TYPE_STRING) {
            config_problem(load, origin, option->name, "what is in the array is to be text");
            return; /* an array has one type: say it once */
        }
        config_option_take(load, option, origin, config_setting_get_string(item), into);
    }
}

static void take_setting(struct config_load *load, const config_setting_t *setting,
                         struct config *overruled)
{
    struct config_origin origin = {CONFIG_FROM_FILE, config_setting_source_line(setting)};
    const char *name = config_setting_name(setting);
    const struct config_option *option = config_option_by_name(name);
    if (option == NULL) {
        bool flag = config_option_by_flag(name, strlen(name)) != NULL;
        config_problem(load, origin, NULL, "'%s' is not an option of the config file%s", name,
                       flag ? ", though one of the command line" : "");
        return;
    }
    struct config *into = overruled;
    if (config_option_origin(load, option)->from != CONFIG_FROM_FLAG) {
        *config_option_origin(load, option) = origin;
        into = load->config;
    }
    char spelled[24];
    const char *text;
    const char *words;
    unsigned form = spell(setting, &text, spelled);
    if ((config_option_forms(option, &words) & form) == 0) {
        config_problem(load, origin, option->name, "the value is not %s", words);
    } else if (form == CONFIG_FORM_ARRAY) {
        take_array(load, option, origin, setting, into);
    } else {
        config_option_take(load, option, origin, text, into);
    }
}

/* --- the file --------------------------------------------------------------------------------- */

void config_file_load(struct config_load *load)
{
    size_t length;
    char *text = read_text(load, &length);
    if (text == NULL) {
        return;
    }
    char *disarmed = disarm_text(load, text, length);
    struct config overruled = {0}; /* what flags win against: checked, then dropped */
    config_t parsed;
    config_init(&parsed);
    bool whole = config_read_string(&parsed, disarmed) == CONFIG_TRUE;
    const config_setting_t *root = config_root_setting(&parsed);
    unsigned n = (unsigned)config_setting_length(root);
    for (unsigned i = 0; i < n; i++) {
        const config_setting_t *setting = config_setting_get_elem(root, i);
        if (config_setting_type(setting) != CONFIG_TYPE_NONE) { /* its value is the syntax error */
            take_setting(load, setting, &overruled);
        }
    }
    if (!whole) {
        struct config_origin origin = {CONFIG_FROM_FILE, (unsigned)config_error_line(&parsed)};
        config_problem(load, origin, NULL, "%s; from here on nothing was read",
                       config_error_text(&parsed));
    }
    config_destroy(&parsed);
    config_done(&overruled);
    free(disarmed);
    free(text);
}
