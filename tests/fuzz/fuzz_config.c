/* The daemon's options: the input is words of a command line, a line each, up to an empty line, and
 * behind it the config file.  What is refused is said; what is taken is within the table's bounds,
 * and means the same again when every option is given as a flag. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "billingd/config_options.h"
#include "tests/fuzz/fuzz.h"

/* libconfig forgets the text that a syntax error stands behind; what we forget is still found. */
const char *__lsan_default_suppressions(void); /* NOLINT: the sanitizer's name */
const char *__lsan_default_suppressions(void)  /* NOLINT */
{
    return "leak:libconfig.so";
}

enum {
    WORDS_MAX = 64, /* more than there are options */
    GIVEN_MAX = 24,
};

struct words {
    char *argv[WORDS_MAX + 1]; /* owned */
    int argc;
};

static void words_add(struct words *words, char *word)
{
    FUZZ_CHECK(words->argc < WORDS_MAX);
    words->argv[words->argc++] = word;
}

static void words_done(struct words *words)
{
    while (words->argc > 0) {
        free(words->argv[--words->argc]);
    }
}

/* Load WORDS.  Whether they were taken. */
static bool load(const struct words *words, struct config *ret)
{
    char *said = NULL;
    size_t length = 0;
    FILE *errors = open_memstream(&said, &length);
    FUZZ_CHECK(errors != NULL);
    int status = config_load(words->argc, words->argv, ret, errors);
    FUZZ_CHECK(fclose(errors) == 0);
    FUZZ_CHECK(status == 0 || status == STATUS_OUT_OF_BOUNDS);
    FUZZ_CHECK((status == 0) == (length == 0));
    FUZZ_CHECK(length == 0 || said[length - 1] == '\n');
    free(said);
    return status == 0;
}

/* --- what was taken --------------------------------------------------------------------------- */

static const void *value_of(const struct config_option *option, const struct config *config)
{
    return (const char *)config + option->offset;
}

static bool is_number(const struct config_option *option)
{
    return option->type == CONFIG_COUNT || option->type == CONFIG_BYTES ||
           option->type == CONFIG_DURATION || option->type == CONFIG_MODE;
}

static char *flag(const struct config_option *option, const char *value)
{
    char *word = NULL;
    FUZZ_CHECK(asprintf(&word, "--%s=%s", option->name, value) > 0);
    return word;
}

/* OPTION as CONFIG has it, as flags. */
static void add_flags(const struct config_option *option, const struct config *config,
                      struct words *words)
{
    const void *value = value_of(option, config);
    if (is_number(option)) {
        char number[32];
        int64_t n = *(const int64_t *)value;
        FUZZ_CHECK(n >= option->min && n <= option->max);
        IGNORE(snprintf(number, sizeof number,
                        option->type == CONFIG_MODE ? "%" PRIo64 : "%" PRId64, n) < 0); /* fits */
        words_add(words, flag(option, number));
    } else if (option->type == CONFIG_FLAG) {
        words_add(words, flag(option, *(const bool *)value ? "true" : "false"));
    } else if (option->type == CONFIG_TEXT) {
        const char *text = *(char *const *)value;
        if (text != NULL) {
            words_add(words, flag(option, text));
        }
    } else {
        const struct config_list *list = value;
        FUZZ_CHECK(list->n <= CONFIG_LISTEN_MAX);
        for (unsigned i = 0; i < list->n; i++) {
            words_add(words, flag(option, list->items[i]));
        }
    }
}

static struct words flags_of(const struct config *config)
{
    struct words words = {0};
    words_add(&words, fuzz_string(SLICE("billingd")));
    for (size_t i = 0; i < config_options_n; i++) {
        if (strcmp(config_options[i].name, "config") != 0) {
            add_flags(&config_options[i], config, &words);
        }
    }
    return words;
}

static void check_taken(const struct config *config)
{
    struct config again;
    struct words words = flags_of(config);
    FUZZ_CHECK(load(&words, &again));
    struct words same = flags_of(&again);
    FUZZ_CHECK(words.argc == same.argc);
    for (int i = 0; i < words.argc; i++) {
        FUZZ_CHECK(strcmp(words.argv[i], same.argv[i]) == 0);
    }
    words_done(&same);
    words_done(&words);
    config_done(&again);
}

/* --- the input -------------------------------------------------------------------------------- */

/* The next line of INPUT; false where it is empty. */
static bool next_line(struct fuzz_input *input, struct slice *ret)
{
    const uint8_t *end = input->left == 0 ? NULL : memchr(input->at, '\n', input->left);
    *ret = fuzz_slice(input, end == NULL ? input->left : (size_t)(end - input->at));
    IGNORE(fuzz_byte(input) == 0); /* the line's end */
    return ret->length > 0;
}

/* A file of nothing but TEXT, and its NAME. */
static int make_file(struct slice text, char name[64])
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    FUZZ_CHECK(fd >= 0);
    FUZZ_CHECK(write(fd, text.data, text.length) == (ssize_t)text.length);
    FUZZ_CHECK(snprintf(name, 64, "/proc/self/fd/%d", fd) < 64);
    return fd;
}

static bool names_a_file(struct slice word)
{
    return memmem(word.data, word.length, "config", 6) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct words words = {0};
    struct config config;
    struct slice line;
    char name[64];
    FUZZ_CHECK(setenv("STATE_DIRECTORY", "/state", 1) == 0);
    FUZZ_CHECK(setenv("RUNTIME_DIRECTORY", "/runtime", 1) == 0);
    words_add(&words, fuzz_string(SLICE("billingd")));
    while (words.argc < GIVEN_MAX && next_line(&input, &line)) {
        if (!names_a_file(line)) { /* no other file than this one */
            words_add(&words, fuzz_string(line));
        }
    }
    int fd = make_file(fuzz_rest(&input), name);
    words_add(&words, fuzz_string(SLICE("--config")));
    words_add(&words, fuzz_string(slice_of(name)));
    if (load(&words, &config) && !config.help && !config.version) {
        check_taken(&config);
    }
    config_done(&config);
    words_done(&words);
    close(fd);
    return 0;
}
