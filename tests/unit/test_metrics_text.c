/* Metrics as text, and the histograms that they show. */
#include <stdlib.h>

#include "billingd/base/metrics_text.h"
#include "tests/lib/testkit.h"

static const char *take(struct metrics_text *text)
{
    assert_false(text->failed);
    const char *kept = testkit_format("%.*s", (int)text->length, text->data);
    free(text->data);
    *text = (struct metrics_text){0};
    return kept;
}

static void metrics_text__families__have_help_type_and_samples(void **state)
{
    struct metrics_text text = {0};
    (void)state;
    metrics_counter(&text, "a_total", "What a is.", UINT64_MAX);
    metrics_family(&text, "b", METRICS_GAUGE, "What b is.");
    metrics_sample(&text, METRICS_LABELS({"x", "1"}, {"y", "2"}), 7);
    metrics_seconds(&text, METRICS_LABELS({"x", "3"}), 1500000);
    metrics_seconds(&text, NULL, -1);
    assert_string_equal(take(&text), "# HELP a_total What a is.\n"
                                     "# TYPE a_total counter\n"
                                     "a_total 18446744073709551615\n"
                                     "# HELP b What b is.\n"
                                     "# TYPE b gauge\n"
                                     "b{x=\"1\",y=\"2\"} 7\n"
                                     "b{x=\"3\"} 1.500000\n"
                                     "b 0.000000\n");
}

static void metrics_text__label_values__are_escaped(void **state)
{
    struct metrics_text text = {0};
    (void)state;
    metrics_family(&text, "a", METRICS_GAUGE, "A.");
    metrics_sample(&text, METRICS_LABELS({"x", "q\" b\\ n\n."}), 1);
    assert_contains(take(&text), "\na{x=\"q\\\" b\\\\ n\\n.\"} 1\n");
}

static void histogram__values__are_counted_up_to_their_bound(void **state)
{
    static const struct histogram_scale scale = {.n = 3, .bounds = {1, 10, 100}};
    static const uint64_t values[] = {0, 1, 2, 10, 11, 100, 101, 1000};
    struct histogram histogram = {.scale = &scale};
    struct metrics_text text = {0};
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        histogram_add(&histogram, values[i]);
    }
    metrics_family(&text, "h", METRICS_HISTOGRAM, "H.");
    metrics_histogram(&text, METRICS_LABELS({"k", "v"}), &histogram);
    assert_string_equal(take(&text), "# HELP h H.\n# TYPE h histogram\n"
                                     "h_bucket{k=\"v\",le=\"1\"} 2\n"
                                     "h_bucket{k=\"v\",le=\"10\"} 4\n"
                                     "h_bucket{k=\"v\",le=\"100\"} 6\n"
                                     "h_bucket{k=\"v\",le=\"+Inf\"} 8\n"
                                     "h_sum{k=\"v\"} 1225\n"
                                     "h_count{k=\"v\"} 8\n");
}

static void histogram__of_times__is_in_seconds(void **state)
{
    struct histogram histogram = {.scale = &histogram_times_us};
    struct metrics_text text = {0};
    (void)state;
    histogram_add(&histogram, 1200);
    histogram_add(&histogram, 30000000);
    metrics_family(&text, "h_seconds", METRICS_HISTOGRAM, "H.");
    metrics_histogram(&text, NULL, &histogram);
    const char *shown = take(&text);
    assert_contains(shown, "\nh_seconds_bucket{le=\"0.0001\"} 0\n");
    assert_contains(shown, "\nh_seconds_bucket{le=\"0.001\"} 0\n"
                           "h_seconds_bucket{le=\"0.0025\"} 1\n");
    assert_contains(shown, "\nh_seconds_bucket{le=\"10\"} 1\nh_seconds_bucket{le=\"+Inf\"} 2\n"
                           "h_seconds_sum 30.001200\nh_seconds_count 2\n");
}

static void histogram__scales__rise(void **state)
{
    static const struct histogram_scale *const scales[] = {&histogram_times_us, &histogram_counts};
    (void)state;
    for (size_t s = 0; s < 2; s++) {
        assert_true(scales[s]->n <= HISTOGRAM_BOUNDS_MAX);
        for (size_t i = 1; i < scales[s]->n; i++) {
            assert_true(scales[s]->bounds[i] > scales[s]->bounds[i - 1]);
        }
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(metrics_text__families__have_help_type_and_samples),
    cmocka_unit_test(metrics_text__label_values__are_escaped),
    cmocka_unit_test(histogram__values__are_counted_up_to_their_bound),
    cmocka_unit_test(histogram__of_times__is_in_seconds),
    cmocka_unit_test(histogram__scales__rise),
};

TESTKIT_MAIN(tests)
