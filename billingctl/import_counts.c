#include "billingctl/import_counts.h"

#include <inttypes.h>

static const char *const kind_names[IMPORT_KIND__COUNT] = {
    [IMPORT_USAGE] = "usage", [IMPORT_ADJUSTMENT] = "adjustments", [IMPORT_VOID] = "voids"};

enum {
    FIXED = 4,
    FIGURES = FIXED + 2 * IMPORT_KIND__COUNT,
};

static uint64_t sum(const uint64_t counts[IMPORT_KIND__COUNT])
{
    return counts[IMPORT_USAGE] + counts[IMPORT_ADJUSTMENT] + counts[IMPORT_VOID];
}

/* Figure INDEX, and its name appended to NAME: the sums first, then each kind's. */
static uint64_t figure(const struct import_counts *counts, int index, struct text *name)
{
    static const char *const names[FIXED] = {"rows", "recorded", "replayed", "rejected"};
    const uint64_t sums[FIXED] = {counts->rows, sum(counts->recorded), sum(counts->replayed),
                                  counts->rejected};
    if (index < FIXED) {
        text_puts(name, names[index]);
        return sums[index];
    }
    int kind = (index - FIXED) / 2;
    bool is_recorded = (index - FIXED) % 2 == 0;
    text_printf(name, "%s_%s", kind_names[kind], is_recorded ? "recorded" : "replayed");
    return is_recorded ? counts->recorded[kind] : counts->replayed[kind];
}

void import_counts_put_json(const struct import_counts *counts, struct text *ret)
{
    text_puts(ret, "{\"import\": {");
    for (int i = 0; i < FIGURES; i++) {
        text_puts(ret, i > 0 ? ", \"" : "\"");
        uint64_t n = figure(counts, i, ret);
        text_printf(ret, "\": %" PRIu64, n);
    }
    text_puts(ret, "}}\n");
}

void import_counts_put_csv(const struct import_counts *counts, struct text *ret)
{
    struct text row = {0};
    for (int i = 0; i < FIGURES; i++) {
        text_puts(ret, i > 0 ? "," : "");
        text_printf(&row, "%s%" PRIu64, i > 0 ? "," : "", figure(counts, i, ret));
    }
    text_printf(ret, "\n%s\n", text_of(&row));
    text_done(&row);
}

/* "600 recorded", and which kinds they are of where it is not usage alone. */
static void put_kinds(const char *what, const uint64_t counts[IMPORT_KIND__COUNT], struct text *ret)
{
    static const char *const singular[IMPORT_KIND__COUNT] = {"usage", "adjustment", "void"};
    const char *separator = " (";
    text_printf(ret, "%" PRIu64 " %s", sum(counts), what);
    if (sum(counts) == counts[IMPORT_USAGE]) {
        return;
    }
    for (int i = 0; i < IMPORT_KIND__COUNT; i++) {
        if (counts[i] > 0) {
            text_printf(ret, "%s%" PRIu64 " %s", separator, counts[i],
                        counts[i] == 1 ? singular[i] : kind_names[i]);
            separator = ", ";
        }
    }
    text_puts(ret, ")");
}

void import_counts_put_line(const struct import_counts *counts, struct text *ret)
{
    text_printf(ret, "%" PRIu64 " rows: ", counts->rows);
    put_kinds("recorded", counts->recorded, ret);
    text_puts(ret, ", ");
    put_kinds("replayed", counts->replayed, ret);
    text_printf(ret, ", %" PRIu64 " rejected", counts->rejected);
}
