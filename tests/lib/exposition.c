#include "tests/lib/exposition.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/testkit.h"

enum {
    SAMPLES_MAX = 4096,
    FAMILIES_MAX = 256,
};

struct reader {
    struct exposition result;
    const char *family; /* empty: none yet */
    const char *type;   /* empty: not said yet */

    /* --- of the histogram whose samples come --- */
    const char *labels; /* without le */
    double last_le;
    double last_count; /* up to it */
    bool infinite;     /* +Inf has come */
};

static bool ends_in(const char *text, const char *end)
{
    size_t length = strlen(text);
    size_t wanted = strlen(end);
    return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

/* How many bytes of a name stand at TEXT; a label's has no colon. */
static size_t name_length(const char *text, bool colon)
{
    size_t n = 0;
    while (isalnum((unsigned char)text[n]) || text[n] == '_' || (colon && text[n] == ':')) {
        n++;
    }
    return isdigit((unsigned char)text[0]) ? 0 : n;
}

/* --- heads ------------------------------------------------------------------------------------ */

static void check_family_name(const char *name, const char *type)
{
    bool total = ends_in(name, "_total");
    if (strcmp(type, "counter") == 0 && !total) {
        testkit_fail("a counter that is called %s", name);
    }
    if (strcmp(type, "counter") != 0 && total) {
        testkit_fail("a %s that is called %s", type, name);
    }
    if (ends_in(name, "_bucket") || ends_in(name, "_sum") || ends_in(name, "_count") ||
        ends_in(name, "_us") || ends_in(name, "_ms")) {
        testkit_fail("no good name: %s", name);
    }
}

static void take_help(struct reader *r, const char *line)
{
    size_t length = name_length(line, true);
    assert_true(length > 0 && line[length] == ' ' && line[length + 1] != '\0');
    const char *name = testkit_format("%.*s", (int)length, line);
    if (exposition_has(&r->result, name)) {
        testkit_fail("%s is there twice", name);
    }
    assert_true(*r->family == '\0' || *r->type != '\0');
    assert_true(r->result.n_families < FAMILIES_MAX);
    r->result.families[r->result.n_families++] = name;
    r->family = name;
    r->type = "";
    r->labels = NULL;
}

static void take_type(struct reader *r, const char *line)
{
    size_t length = name_length(line, true);
    const char *type = line + length + 1;
    assert_true(*r->family != '\0' && *r->type == '\0');
    assert_string_equal(testkit_format("%.*s", (int)length, line), r->family);
    assert_true(strcmp(type, "counter") == 0 || strcmp(type, "gauge") == 0 ||
                strcmp(type, "histogram") == 0);
    check_family_name(r->family, type);
    r->type = testkit_format("%s", type);
}

/* --- samples ---------------------------------------------------------------------------------- */

/* The labels at *AT, in braces, behind which *AT is then; the value of le is *RET_LE, or that is
 * NULL.  Returns them without it. */
static const char *take_labels(const char **at, const char **ret_le)
{
    const char *labels = "";
    *ret_le = NULL;
    if (**at != '{') {
        return labels;
    }
    do {
        const char *name = *at + 1;
        size_t length = name_length(name, false);
        assert_true(length > 0 && strncmp(name, "__", 2) != 0);
        assert_memory_equal(name + length, "=\"", 2);
        const char *value = name + length + 2;
        const char *end = value;
        for (; *end != '"'; end++) {
            assert_true(*end != '\0' && *end != '\n');
            if (*end == '\\') {
                end++;
                assert_true(*end == '\\' || *end == '"' || *end == 'n');
            }
        }
        if (length == 2 && memcmp(name, "le", 2) == 0) {
            *ret_le = testkit_format("%.*s", (int)(end - value), value);
        } else {
            labels = testkit_format("%s,%.*s", labels, (int)(end + 1 - name), name);
        }
        *at = end + 1;
    } while (**at == ',');
    assert_true(**at == '}');
    *at += 1;
    return labels;
}

static double take_number(const char *text)
{
    char *end;
    size_t digits = strspn(text, "0123456789");
    assert_true(digits > 0);
    if (text[digits] == '.') {
        assert_true(strspn(text + digits + 1, "0123456789") > 0);
    }
    double value = strtod(text, &end);
    assert_string_equal(end, "");
    return value;
}

/* Buckets rise, the last is +Inf and equals the count, and the sum stands between them. */
static void check_histogram(struct reader *r, const char *suffix, const char *labels,
                            const char *le, double value)
{
    if (strcmp(suffix, "_bucket") == 0) {
        assert_non_null(le);
        if (r->labels == NULL || strcmp(r->labels, labels) != 0) {
            assert_true(r->labels == NULL); /* what came before is whole */
            r->labels = labels;
            r->last_le = -1;
            r->last_count = 0;
            r->infinite = false;
        }
        assert_false(r->infinite);
        r->infinite = strcmp(le, "+Inf") == 0;
        double bound = r->infinite ? 1e300 : take_number(le);
        assert_true(bound > r->last_le && value >= r->last_count);
        r->last_le = bound;
        r->last_count = value;
        return;
    }
    assert_null(le);
    assert_true(r->infinite && r->labels != NULL && strcmp(r->labels, labels) == 0);
    if (strcmp(suffix, "_count") == 0) {
        assert_true(value == r->last_count);
        r->labels = NULL;
    } else {
        assert_string_equal(suffix, "_sum");
    }
}

static void take_sample(struct reader *r, const char *line)
{
    size_t length = name_length(line, true);
    const char *at = line + length;
    const char *le;
    const char *labels = take_labels(&at, &le);
    const char *series = testkit_format("%.*s", (int)(at - line), line);
    assert_true(*r->type != '\0' && *at == ' ');
    double value = take_number(at + 1);
    size_t family = strlen(r->family);
    if (length < family || memcmp(line, r->family, family) != 0) {
        testkit_fail("%s stands under %s", series, r->family);
    }
    const char *suffix = testkit_format("%.*s", (int)(length - family), line + family);
    if (strcmp(r->type, "histogram") == 0) {
        check_histogram(r, suffix, labels, le, value);
    } else {
        assert_string_equal(suffix, "");
        assert_null(le);
    }
    for (size_t i = 0; i < r->result.n; i++) {
        if (strcmp(r->result.samples[i].series, series) == 0) {
            testkit_fail("%s is there twice", series);
        }
    }
    assert_true(r->result.n < SAMPLES_MAX);
    r->result.samples[r->result.n++] = (struct exposition_sample){r->family, series, value};
}

struct exposition exposition_read(const char *text)
{
    struct reader r = {
        .family = "",
        .type = "",
        .result.samples = testkit_alloc(SAMPLES_MAX * sizeof(struct exposition_sample)),
        .result.families = testkit_alloc(FAMILIES_MAX * sizeof(const char *)),
    };
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        const char *line = testkit_format("%.*s", (int)length, text);
        assert_true(text[length] == '\n' && length > 0);
        if (strncmp(line, "# HELP ", 7) == 0) {
            take_help(&r, line + 7);
        } else if (strncmp(line, "# TYPE ", 7) == 0) {
            take_type(&r, line + 7);
        } else {
            assert_true(line[0] != '#');
            take_sample(&r, line);
        }
        text += length + 1;
    }
    assert_true(r.labels == NULL); /* the last histogram is whole */
    return r.result;
}

double exposition_value(const struct exposition *exposition, const char *series)
{
    for (size_t i = 0; i < exposition->n; i++) {
        if (strcmp(exposition->samples[i].series, series) == 0) {
            return exposition->samples[i].value;
        }
    }
    return 0;
}

bool exposition_has(const struct exposition *exposition, const char *name)
{
    for (size_t i = 0; i < exposition->n_families; i++) {
        if (strcmp(exposition->families[i], name) == 0) {
            return true;
        }
    }
    return false;
}
