#include "billingctl/config.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "billingctl/memory.h"

enum {
    FILE_BYTES_MAX = 64 * 1024,
};

/* --- files ------------------------------------------------------------------------------------ */

/* The whole of STREAM.  False where it is longer than a file of ours can be, or unreadable. */
static bool read_whole(FILE *stream, struct text *ret)
{
    char block[4096];
    size_t got;
    while ((got = fread(block, 1, sizeof block, stream)) > 0) {
        text_put(ret, block, got);
        if (ret->length > FILE_BYTES_MAX) {
            errno = EFBIG;
            return false;
        }
    }
    return ferror(stream) == 0;
}

/* The contents of the file at PATH.  *RET_PRIVATE is whether only its owner may use it. */
static bool read_file(const char *path, struct text *ret, bool *ret_private, struct reason *reterr)
{
    struct stat info;
    FILE *stream = fopen(path, "re");
    if (stream == NULL) {
        return reason_set(reterr, "%s: %s", path, strerror(errno));
    }
    *ret_private = fstat(fileno(stream), &info) == 0 && (info.st_mode & (S_IRWXG | S_IRWXO)) == 0;
    bool done = read_whole(stream, ret) || reason_set(reterr, "%s: %s", path, strerror(errno));
    if (fclose(stream) != 0) {
        return reason_set(reterr, "%s: %s", path, strerror(errno));
    }
    return done;
}

/* --- names ------------------------------------------------------------------------------------ */

static bool set_url(billing_options *options, const char *value, struct reason *reterr)
{
    if (billing_options_set_url(options, value) != 0) {
        return reason_set(reterr, "url: '%s' is not a URL like unix:///path/of/socket", value);
    }
    return true;
}

static bool set_timeout(billing_options *options, const char *value, struct reason *reterr)
{
    int64_t timeout_ms;
    if (billing_duration_parse(value, &timeout_ms) != 0 ||
        billing_options_set_timeout_ms(options, timeout_ms) != 0) {
        return reason_set(reterr, "timeout: '%s' is not a duration like 5s, up to a week", value);
    }
    return true;
}

/* It is read when it is needed. */
static bool set_token_file(billing_options *options, const char *value, struct reason *reterr)
{
    if (billing_options_set_token_file(options, value) != 0) {
        return reason_set(reterr, "token_file: '%s' is not the path of a file", value);
    }
    return true;
}

/* A secret is not repeated. */
static bool set_token(billing_options *options, const char *value, struct reason *reterr)
{
    if (billing_options_set_token(options, value) != 0) {
        return reason_set(reterr, "token: is not one of printable ASCII without blanks");
    }
    return true;
}

static const struct {
    const char *name;
    bool (*set)(billing_options *options, const char *value, struct reason *reterr);
    bool is_secret;
} names[] = {
    {"url", set_url, false},
    {"timeout", set_timeout, false},
    {"token_file", set_token_file, false},
    {"token", set_token, true},
};

enum {
    NAMES_COUNT = sizeof names / sizeof names[0],
};

/* --- lines ------------------------------------------------------------------------------------ */

/* TEXT without blanks around it. */
static char *trim(char *text)
{
    static const char blanks[] = " \t\r";
    text += strspn(text, blanks);
    size_t length = strlen(text);
    while (length > 0 && strchr(blanks, text[length - 1]) != NULL) {
        length--;
    }
    text[length] = '\0';
    return text;
}

/* A file that is being taken. */
struct taking {
    bool is_private;
    unsigned seen; /* a bit for each name that there was */
};

/* Whether the name of row I may stand where it does. */
static bool check_name(struct taking *taking, unsigned i, struct reason *reterr)
{
    if ((taking->seen & (1U << i)) != 0) {
        return reason_set(reterr, "'%s' is there twice", names[i].name);
    }
    if (names[i].is_secret && !taking->is_private) {
        return reason_set(reterr,
                          "'%s' may not stand in a file that others than its owner may use; "
                          "run chmod go= on it, or name a token_file",
                          names[i].name);
    }
    taking->seen |= 1U << i;
    return true;
}

static bool apply_line(char *line, billing_options *options, struct taking *taking,
                       struct reason *reterr)
{
    line = trim(line);
    if (*line == '\0' || *line == '#') {
        return true;
    }
    char *equals = strchr(line, '=');
    if (equals == NULL) {
        return reason_set(reterr, "not a line like 'name = value'");
    }
    *equals = '\0';
    char *name = trim(line);
    unsigned i = 0;
    while (i < NAMES_COUNT && strcmp(names[i].name, name) != 0) {
        i++;
    }
    if (i == NAMES_COUNT) {
        return reason_set(reterr, "'%s' is not one of: url, timeout, token_file, token", name);
    }
    return check_name(taking, i, reterr) && names[i].set(options, trim(equals + 1), reterr);
}

bool config_apply(const char *name, char *text, bool is_private, billing_options *options,
                  struct reason *reterr)
{
    struct taking taking = {.is_private = is_private};
    unsigned number = 0;
    char *rest = text;
    char *line;
    while ((line = strsep(&rest, "\n")) != NULL) {
        struct reason why;
        number++;
        if (!apply_line(line, options, &taking, &why)) {
            return reason_set(reterr, "%s:%u: %s", name, number, why.text);
        }
    }
    return true;
}

static bool apply_file(const char *path, billing_options *options, struct reason *reterr)
{
    struct stat info;
    struct text text = {0};
    if (stat(path, &info) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
        return true;
    }
    bool is_private = false;
    text_puts(&text, ""); /* so that an empty file has its NUL too */
    bool done = read_file(path, &text, &is_private, reterr);
    if (done && strlen(text.data) != text.length) {
        done = reason_set(reterr, "%s: holds a NUL byte", path);
    }
    done = done && config_apply(path, text.data, is_private, options, reterr);
    explicit_bzero(text.data, text.capacity);
    text_done(&text);
    return done;
}

static bool apply_own_file(billing_options *options, struct reason *reterr)
{
    const char *config_home = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    struct text path = {0};
    /* The XDG specification: a relative path there counts as none. */
    if (config_home != NULL && *config_home == '/') {
        text_printf(&path, "%s/billing/billingctl.conf", config_home);
    } else if (home != NULL && *home == '/') {
        text_printf(&path, "%s/.config/billing/billingctl.conf", home);
    } else {
        return true;
    }
    bool done = apply_file(text_of(&path), options, reterr);
    text_done(&path);
    return done;
}

/* What is wrong with VARIABLE of the environment, as STATUS says.  A secret is not repeated. */
static bool explain_variable(const char *variable, int status, struct reason *reterr)
{
    static const struct {
        const char *name;
        const char *expected;
    } variables[] = {
        {"BILLING_URL", "a URL like unix:///path or tcp://host:port"},
        {"BILLING_TIMEOUT", "a duration like 5s, up to a week"},
        {"BILLING_TOKEN_FILE", "the path of a file"},
    };
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        if (strcmp(variables[i].name, variable) == 0 && status != BILLING_E_NO_MEMORY) {
            return reason_set(reterr, "$%s: '%s' is not %s", variable, getenv(variable),
                              variables[i].expected);
        }
    }
    if (strcmp(variable, "BILLING_TOKEN") == 0 && status != BILLING_E_NO_MEMORY) {
        return reason_set(reterr, "$BILLING_TOKEN: is not a token in printable ASCII");
    }
    return reason_set(reterr, "$%s: %s", variable, billing_strerror(status));
}

bool config_load(billing_options *options, struct reason *reterr)
{
    const char *variable = "";
    if (!apply_file("/etc/billing/billingctl.conf", options, reterr) ||
        !apply_own_file(options, reterr)) {
        return false;
    }
    int status = billing_options_from_environment(options, &variable);
    if (status != 0) {
        return explain_variable(variable, status, reterr);
    }
    status = billing_options_set_traceparent(options, getenv("TRACEPARENT"));
    return status == 0 || status == BILLING_E_ARGUMENT; /* what is none is left out, as W3C says */
}
