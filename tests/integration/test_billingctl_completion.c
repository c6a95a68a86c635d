/* What `billingctl completion` prints, in the shells that it is for. */
#include <unistd.h>

#include "tests/integration/ctl_run.h"
#include "tests/lib/testkit.h"

/* The path of the shell NAME; skips where it is not here. */
static const char *find_shell(const char *name)
{
    const char *path = testkit_format("/usr/bin/%s", name);
    if (access(path, X_OK) != 0) {
        print_message("no %s here\n", name);
        skip();
    }
    return path;
}

static void completion__bash__completes(void **state)
{
    (void)state;
    struct ctl_setup bash = {.program = find_shell("bash")};
    const char *script = testkit_format(
        "source <('%s' completion bash)\n"
        "try() { COMP_WORDS=(billingctl \"$@\"); COMP_CWORD=$#; _billingctl 2>/dev/null;"
        " echo \"${COMPREPLY[*]}\"; }\n"
        "try cust; try --output json customer cr; try usage list --by ''; try usage list --cust\n"
        "try customer list --output = c; try help adj; try help adjustment ''\n"
        "try help adjustment list ''; try help --output json usage vo",
        testkit_billingctl());
    struct ctl_result result = CTL_ENDS(&bash, 0, "-c", script);
    assert_string_equal(result.out, "customer\ncreate\noccurred billed\n--customer\ncsv\n"
                                    "adjustment\ncreate list\n\nvoid\n");
}

static void completion__zsh__completes(void **state)
{
    (void)state;
    struct ctl_setup zsh = {.program = find_shell("zsh")};
    /* Out of a line editor: who adds words, and who registers functions, are ours. */
    const char *script = testkit_format(
        "compadd() { print -r -- \"$*\" }; compdef() { }\n"
        "source <('%s' completion zsh)\n"
        "try() { local -a words=(billingctl \"$@\"); local CURRENT=$#words; _billingctl;"
        " print . }\n"
        "try usage list --by ''; try help adjustment ''; try help adjustment list ''\n"
        "try help --output json adjustment ''",
        testkit_billingctl());
    struct ctl_result result = CTL_ENDS(&zsh, 0, "-f", "-c", script);
    assert_string_equal(result.out, "-- occurred billed\n.\n-- create list\n.\n.\n"
                                    "-- create list\n.\n");
}

static void completion__fish__completes(void **state)
{
    (void)state;
    struct ctl_setup fish = {.program = find_shell("fish")};
    const char *script = testkit_format(
        "'%s' completion fish | source\n"
        "function try; complete -C \"billingctl $argv\" | string replace -r '\\t.*' ''; echo .; "
        "end\n"
        "try 'usage list --by '; try 'help adj'; try 'help adjustment '\n"
        "try 'help adjustment list '; try 'help --output json adjustment '; try 'customer cr'",
        testkit_billingctl());
    struct ctl_result result = CTL_ENDS(&fish, 0, "--no-config", "-c", script);
    assert_string_equal(result.out, "billed\noccurred\n.\nadjustment\n.\ncreate\nlist\n.\n.\n"
                                    "create\nlist\n.\ncreate\n.\n");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(completion__bash__completes),
    cmocka_unit_test(completion__zsh__completes),
    cmocka_unit_test(completion__fish__completes),
};

TESTKIT_MAIN(tests)
