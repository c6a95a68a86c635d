#include "bench/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "bench/fail.h"

enum {
    NAME_BYTES = 64,
    NUMBER_BYTES = 400, /* of any double with a few digits behind the point */
    GROUP_DIGITS = 3,
};

static const char seed_name[] = "seed";

struct report {
    struct json_object *object;
    const char *flaw; /* or NULL */
};

struct report *report_create(const char *mode)
{
    static struct report report;
    report.object = json_object_new_object();
    check(report.object != NULL, "memory");
    report_text(&report, "mode", mode);
    return &report;
}

static void put(struct report *report, const char *name, struct json_object *value)
{
    check(value != NULL && json_object_object_add(report->object, name, value) == 0, "memory");
}

void report_text(struct report *report, const char *name, const char *value)
{
    put(report, name, json_object_new_string(value));
}

void report_count(struct report *report, const char *name, uint64_t value)
{
    put(report, name, json_object_new_uint64(value));
}

void report_seed(struct report *report, uint64_t seed)
{
    report_count(report, seed_name, seed);
}

/* json-c would print all 17 digits. */
static struct json_object *number(double value, int digits)
{
    char text[NUMBER_BYTES];
    IGNORE(snprintf(text, sizeof text, "%.*f", digits, value) < 0); /* it has the room */
    return json_object_new_double_s(value, text);
}

void report_number(struct report *report, const char *name, double value, int digits)
{
    put(report, name, number(value, digits));
}

void report_numbers(struct report *report, const char *name, const double *values, size_t n,
                    int digits)
{
    struct json_object *list = json_object_new_array();
    check(list != NULL, "memory");
    for (size_t i = 0; i < n; i++) {
        check(json_object_array_add(list, number(values[i], digits)) == 0, "memory");
    }
    put(report, name, list);
}

static void report_us(struct report *report, const char *name, const char *which, int64_t ns)
{
    char full[NAME_BYTES];
    IGNORE(snprintf(full, sizeof full, "%s_%s_us", name, which) < 0); /* ours are short */
    report_number(report, full, (double)ns / 1e3, 1);
}

void report_latency(struct report *report, const char *name, const struct latency *latency)
{
    report_us(report, name, "p50", latency_quantile_ns(latency, 500));
    report_us(report, name, "p99", latency_quantile_ns(latency, 990));
    report_us(report, name, "p999", latency_quantile_ns(latency, 999));
    report_us(report, name, "max", latency->max_ns);
}

/* --- printing --------------------------------------------------------------------------------- */

/* Write FORMAT's text; report_print() asks at the end whether stdout took it. */
__attribute__((format(printf, 1, 2))) static void print(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    IGNORE(vprintf(format, args) < 0);
    va_end(args);
}

/* TEXT, with a blank between thousands where it is a number. */
static void print_grouped(const char *text)
{
    size_t whole = strspn(text, "0123456789");
    bool is_number = whole > 0 && text[whole + strspn(text + whole, ".0123456789")] == '\0';
    for (size_t i = 0; text[i] != '\0'; i++) {
        bool blank = is_number && i > 0 && i < whole && (whole - i) % GROUP_DIGITS == 0;
        print("%s%c", blank ? " " : "", text[i]);
    }
}

static void print_value(struct json_object *value)
{
    if (!json_object_is_type(value, json_type_array)) {
        print_grouped(json_object_get_string(value));
        return;
    }
    for (size_t i = 0; i < json_object_array_length(value); i++) {
        print("%s", i > 0 ? "  " : "");
        print_grouped(json_object_get_string(json_object_array_get_idx(value, i)));
    }
}

static void print_table(const struct report *report)
{
    json_object_object_foreach(report->object, name, value)
    {
        print("%-24s ", name);
        if (strcmp(name, seed_name) == 0) {
            print("%s", json_object_get_string(value));
        } else {
            print_value(value);
        }
        print("\n");
    }
}

void report_flaw(struct report *report, const char *what)
{
    report->flaw = what;
}

int report_print(const struct report *report, bool json)
{
    if (json) {
        print("%s\n", json_object_to_json_string_ext(report->object, JSON_C_TO_STRING_SPACED));
    } else {
        print_table(report);
    }
    check(fflush(stdout) == 0 && !ferror(stdout), "stdout");
    if (report->flaw == NULL) {
        return 0;
    }
    IGNORE(fprintf(stderr, "billing-bench: %s\n", report->flaw) < 0); /* nowhere else to say it */
    return 1;
}
