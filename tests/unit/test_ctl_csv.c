/* Reading CSV, with the file cut into pieces anywhere. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "billingctl/csv.h"
#include "tests/lib/testkit.h"

/* A file that is handed out in pieces. */
struct pieces {
    const char *data;
    size_t length;
    size_t at;
    size_t piece; /* bytes at a time */
    ssize_t then; /* what follows the last of them */
};

static ssize_t read_piece(void *arg, char *buffer, size_t bytes)
{
    struct pieces *pieces = arg;
    size_t rest = pieces->length - pieces->at;
    size_t take = rest < pieces->piece ? rest : pieces->piece;
    take = take < bytes ? take : bytes;
    if (take == 0) {
        errno = EIO;
        return pieces->then;
    }
    memcpy(buffer, pieces->data + pieces->at, take);
    pieces->at += take;
    return (ssize_t)take;
}

/* What the rows of a file are, in one text: fields between bars, what is malformed in brackets, the
 * line in front; then how it ended. */
static const char *read_all(const char *data, size_t length, size_t piece, ssize_t then)
{
    struct pieces pieces = {.data = data, .length = length, .piece = piece, .then = then};
    struct source source;
    struct csv_reader reader;
    struct reason reason;
    struct text text = {0};
    enum csv_result result;
    source_init(&source, read_piece, &pieces);
    csv_init(&reader, &source);
    while ((result = csv_next(&reader, &reason)) == CSV_ROW) {
        text_printf(&text, "%d:", (int)reader.line);
        for (size_t i = 0; i < reader.count; i++) {
            text_printf(&text, "%s|", csv_field(&reader, i));
        }
        if (reader.malformed != NULL) {
            text_printf(&text, "[%s]", reader.malformed);
        }
        text_puts(&text, " ");
    }
    static const char *const ends[] = {[CSV_END] = "end", [CSV_INTERRUPTED] = "interrupted"};
    text_puts(&text, result == CSV_UNREADABLE ? reason.text : ends[result]);
    const char *all = testkit_format("%s", text_of(&text));
    text_done(&text);
    csv_done(&reader);
    source_done(&source);
    return all;
}

/* Of the rows of DATA, what stands behind the fields of the one at LINE. */
static const char *rest_behind(const char *data, size_t length, const char *line)
{
    const char *row = strstr(read_all(data, length, 100000, 0), line);
    assert_non_null(row);
    assert_true(strlen(row) < (size_t)2 * SOURCE_RECORD_BYTES_MAX); /* no more of it is kept */
    const char *rest = strchr(row, '[');
    return rest == NULL ? row : rest;
}

/* However the file is cut, it reads the same. */
static void reads_bytes(const char *data, size_t length, const char *expected)
{
    for (size_t piece = 1; piece <= length + 1; piece++) {
        assert_string_equal(read_all(data, length, piece, 0), expected);
    }
}

static void reads(const char *data, const char *expected)
{
    reads_bytes(data, strlen(data), expected);
}

static void next__well_formed__rows(void **state)
{
    (void)state;
    reads("", "end");
    reads("a", "1:a| end");
    reads("a,b\n", "1:a|b| end");
    reads("a,b\r\nc,d\r\n", "1:a|b| 2:c|d| end");
    reads("a,\n,b", "1:a|| 2:|b| end");
    reads(" a , b \n", "1: a | b | end"); /* blanks belong to the field */
    reads("\xEF\xBB\xBF"
          "a,b\n",
          "1:a|b| end");
    reads("\xEF\xBB", "1:\xEF\xBB| end"); /* half a byte order mark is text */
    reads("\n\na\n\r\n\nb\n\n", "3:a| 6:b| end");
}

static void next__quotes__undone(void **state)
{
    (void)state;
    reads("\"a\",\"b,c\"\n", "1:a|b,c| end");
    reads("\"say \"\"x\"\"\",y\n", "1:say \"x\"|y| end");
    reads("\"\",\"\"\"\"\n", "1:|\"| end");
    reads("\"two\nlines\",x\nnext,y\n", "1:two\nlines|x| 3:next|y| end");
    reads("\"cr\r\nlf\"\r\nnext\r\n", "1:cr\r\nlf| 3:next| end");
    reads("\"end\"", "1:end| end");
}

static void next__malformed__rows_go_on_behind_it(void **state)
{
    (void)state;
    reads("a\"b,c\nd,e\n", "1:a\"b|c|[a quote within a field that is not quoted] 2:d|e| end");
    reads("\"a\"b,c\nd,e\n", "1:ab|c|[text behind a closing quote] 2:d|e| end");
    reads("a\rb\nc\n", "1:a\rb|[a carriage return without a line feed] 2:c| end");
    /* A well-quoted field behind the fault still holds its line end. */
    reads("a\"b,\"c\nd\"\ne\n", "1:a\"b|c\nd|[a quote within a field that is not quoted] 3:e| end");
    reads_bytes("a\0b,c\nd\n", 8, "1:a|c|[a NUL byte] 2:d| end");
}

static void next__quote_never_closed__unreadable(void **state)
{
    (void)state;
    const char *expected = "1:a|b| line 2: a quote is opened in what begins here, never closed";
    reads("a,b\nc,\"d\ne,f\ng,h\n", expected);
    reads("a,b\n\"", expected);
}

static void next__many_columns__malformed(void **state)
{
    (void)state;
    char row[CSV_FIELDS_MAX + 3];
    memset(row, ',', sizeof row);
    row[CSV_FIELDS_MAX - 1] = '\n';
    row[CSV_FIELDS_MAX] = 'x';
    const char *fits = read_all(row, CSV_FIELDS_MAX, 4096, 0);
    assert_null(strchr(fits, '['));
    row[CSV_FIELDS_MAX - 1] = ',';
    row[CSV_FIELDS_MAX] = '\n';
    row[CSV_FIELDS_MAX + 1] = 'y';
    row[CSV_FIELDS_MAX + 2] = '\n';
    const char *more = read_all(row, CSV_FIELDS_MAX + 3, 4096, 0);
    assert_contains(more, "[more than 1024 columns] 2:y| end");
}

/* However long a record is, and whatever is in it, what follows it is read. */
static void next__long_record__malformed(void **state)
{
    (void)state;
    size_t length = (size_t)4 * SOURCE_RECORD_BYTES_MAX;
    char *data = testkit_alloc(length);
    memset(data, 'x', length);
    data[2] = '\n';
    data[length - 2] = '\n';
    assert_string_equal(rest_behind(data, length, "2:"), "[longer than 1 MiB] 3:x| end");
    data[3] = '"'; /* with a line end, a comma and quotes in it */
    data[1000] = '\n';
    data[length / 2] = ',';
    data[length / 2 + 1] = '"';
    data[length / 2 + 2] = '"';
    data[length / 2 + 3] = '\n';
    data[length - 3] = '"';
    assert_string_equal(rest_behind(data, length, "2:"), "[longer than 1 MiB] 5:x| end");
    data[length - 3] = 'x';
    assert_contains(read_all(data, length, 100000, 0), "1:xx| line 2: a quote is opened");
    memset(data + 3, ',', length - 5); /* columns without end */
    assert_string_equal(rest_behind(data, length, "2:"), "[longer than 1 MiB] 3:x| end");
    /* Just not too long. */
    memset(data, 'x', length);
    for (size_t at = SOURCE_RECORD_BYTES_MAX - 10; at < length;
         at += SOURCE_RECORD_BYTES_MAX - 10) {
        data[at] = '\n';
    }
    assert_null(strchr(read_all(data, length, 100000, 0), '['));
}

static void next__reading_fails__said(void **state)
{
    (void)state;
    assert_contains(read_all("a\nb", 3, 1, -1), "1:a| cannot read on at line 2: ");
    assert_string_equal(read_all("a\nb", 3, 1, SOURCE_INTERRUPTED), "1:a| interrupted");
    assert_string_equal(read_all("a\n\"b", 4, 1, SOURCE_INTERRUPTED), "1:a| interrupted");
    assert_string_equal(read_all("a\n", 2, 1, SOURCE_INTERRUPTED), "1:a| interrupted");
}

static void raw__of_each_row__makes_the_file(void **state)
{
    (void)state;
    static const char data[] = "a,\"b\n\"\"c\"\r\nd\"d,e\nlast,one";
    struct pieces pieces = {.data = data, .length = strlen(data), .piece = 3};
    struct source source;
    struct csv_reader reader;
    struct reason reason;
    struct text all = {0};
    source_init(&source, read_piece, &pieces);
    csv_init(&reader, &source);
    while (csv_next(&reader, &reason) == CSV_ROW) {
        text_put(&all, reader.raw, reader.raw_length);
    }
    assert_text(text_of(&all), all.length, data);
    assert_u64(source.bytes_read, strlen(data));
    text_done(&all);
    csv_done(&reader);
    source_done(&source);
}

/* A random field: to FILE as CSV, to EXPECTED as read_all() shows it.  Returns its line ends. */
static uint64_t put_random_field(struct rng *rng, bool is_first, struct text *file,
                                 struct text *expected)
{
    static const char *const pieces[] = {"a", "\"", ",", "\n", "\r\n", " ", "\xC3\xA4", "x=1", ""};
    struct text field = {0};
    uint64_t lines = 0;
    text_puts(&field, is_first ? "k" : ""); /* a row is never an empty line */
    for (uint64_t n = rng_below(rng, 5); n > 0; n--) {
        const char *piece = pieces[rng_below(rng, 9)];
        text_puts(&field, piece);
        lines += strchr(piece, '\n') != NULL;
    }
    text_puts(file, is_first ? "" : ",");
    text_put_csv(file, text_of(&field));
    text_printf(expected, "%s|", text_of(&field));
    text_done(&field);
    return lines;
}

/* Any rows, written and read back. */
static void next__random_rows__round_trip(void **state)
{
    (void)state;
    struct rng rng = rng_make("csv");
    for (int round = 0; round < 2000; round++) {
        struct text file = {0};
        struct text expected = {0};
        uint64_t line = 1;
        for (uint64_t row = rng_below(&rng, 4); row > 0; row--) {
            text_printf(&expected, "%d:", (int)line);
            for (uint64_t column = 0; column < 3; column++) {
                line += put_random_field(&rng, column == 0, &file, &expected);
            }
            text_puts(&file, "\n");
            text_puts(&expected, " ");
            line++;
        }
        text_puts(&expected, "end");
        size_t piece = 1 + rng_below(&rng, 20);
        assert_string_equal(read_all(text_of(&file), file.length, piece, 0), text_of(&expected));
        text_done(&file);
        text_done(&expected);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(next__well_formed__rows),
    cmocka_unit_test(next__quotes__undone),
    cmocka_unit_test(next__malformed__rows_go_on_behind_it),
    cmocka_unit_test(next__quote_never_closed__unreadable),
    cmocka_unit_test(next__many_columns__malformed),
    cmocka_unit_test(next__long_record__malformed),
    cmocka_unit_test(next__reading_fails__said),
    cmocka_unit_test(raw__of_each_row__makes_the_file),
    cmocka_unit_test(next__random_rows__round_trip),
};

TESTKIT_MAIN(tests)
