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

/* The contents of the file at PATH.  A secret must not be readable by everybody. */
static bool read_file(const char *path, bool is_secret, struct text *ret, struct reason *reterr)
{
    struct stat info;
    FILE *stream = fopen(path, "re");
    if (stream == NULL) {
        return reason_set(reterr, "%s: %s", path, strerror(errno));
    }
    bool done = false;
    if (is_secret && fstat(fileno(stream), &info) == 0 && (info.st_mode & S_IRWXO) != 0) {
        reason_set(reterr, "%s: everybody may read it; run: chmod o= %s", path, path);
    } else if (!read_whole(stream, ret)) {
        reason_set(reterr, "%s: %s", path, strerror(errno));
    } else {
        done = true;
    }
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

static bool set_token_file(billing_options *options, const char *value, struct reason *reterr)
{
    struct text token = {0};
    if (!read_file(value, true, &token, reterr)) {
        text_done(&token);
        return false;
    }
    if (token.length > 0) {
        token.data[strcspn(token.data, "\r\n")] = '\0';
    }
    bool fits = billing_options_set_token(options, text_of(&token)) == 0;
    if (token.length > 0) {
        explicit_bzero(token.data, token.capacity);
    }
    text_done(&token);
    return fits || reason_set(reterr, "token_file: %s holds no token in printable ASCII", value);
}

static const struct {
    const char *name;
    bool (*set)(billing_options *options, const char *value, struct reason *reterr);
} names[] = {
    {"url", set_url},
    {"timeout", set_timeout},
    {"token_file", set_token_file},
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

/* LINE into OPTIONS; SEEN has a bit for each name that there was. */
static bool apply_line(char *line, billing_options *options, unsigned *seen, struct reason *reterr)
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
        return reason_set(reterr, "'%s' is not one of: url, timeout, token_file", name);
    }
    if ((*seen & (1U << i)) != 0) {
        return reason_set(reterr, "'%s' is there twice", name);
    }
    *seen |= 1U << i;
    return names[i].set(options, trim(equals + 1), reterr);
}

bool config_apply(const char *name, char *text, billing_options *options, struct reason *reterr)
{
    unsigned seen = 0;
    unsigned number = 0;
    char *rest = text;
    char *line;
    while ((line = strsep(&rest, "\n")) != NULL) {
        struct reason why;
        number++;
        if (!apply_line(line, options, &seen, &why)) {
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
    text_puts(&text, ""); /* so that an empty file has its NUL too */
    bool done = read_file(path, false, &text, reterr);
    if (done && strlen(text.data) != text.length) {
        done = reason_set(reterr, "%s: holds a NUL byte", path);
    }
    done = done && config_apply(path, text.data, options, reterr);
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
    return status == 0 || explain_variable(variable, status, reterr);
}
