/* The parser against the corpus, at every cut; and against a second, plainer reading of RFC 9112,
 * on requests that chance has mutilated. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "billingd/net/http_parser.h"
#include "tests/lib/testkit.h"
#include "tests/unit/http_corpus.h"

enum {
    MUTANTS = 60000,
};

static const struct http_limits limits = {
    .head_bytes_max = 32768,
    .target_bytes_max = 8192,
    .headers_max = 100,
    .body_bytes_max = 1048576,
};

struct outcome {
    int status; /* 0: all taken; STATUS_NEED_MORE; else refused */
    unsigned taken;
    size_t taken_bytes; /* up to the end of the last request taken */
    size_t body;        /* of the last one */
};

/* The next cut: how many of LEFT bytes to feed at once. */
typedef size_t (*cut_fn)(struct rng *rng, size_t left);

static size_t cut_whole(struct rng *rng, size_t left)
{
    (void)rng;
    return left;
}

static size_t cut_byte(struct rng *rng, size_t left)
{
    (void)rng;
    (void)left;
    return 1;
}

static size_t cut_random(struct rng *rng, size_t left)
{
    uint64_t most = rng_below(rng, 3) == 0 ? left : (left < 8 ? left : 8);
    return 1 + (size_t)rng_below(rng, most);
}

static void note_taken(struct outcome *outcome, const struct http_parser *parser, size_t at)
{
    struct slice body = parser->message.body;
    outcome->taken++;
    outcome->taken_bytes = at;
    outcome->body = body.length;
}

/* Feed LENGTH bytes in pieces.  Each lies in memory of its own, so that a read beyond it shows. */
static struct outcome feed(const char *bytes, size_t length, cut_fn cut, struct rng *rng)
{
    struct outcome outcome = {.status = length == 0 ? 0 : STATUS_NEED_MORE};
    struct http_parser parser;
    http_parser_init(&parser, &limits);
    size_t at = 0;
    while (at < length && (outcome.status == STATUS_NEED_MORE || outcome.status == 0)) {
        size_t piece_bytes = cut(rng, length - at);
        char *piece = malloc(piece_bytes);
        memcpy(piece, bytes + at, piece_bytes);
        size_t used = 0;
        outcome.status = http_parser_feed(&parser, piece, piece_bytes, &used);
        at += used;
        if (outcome.status == 0) {
            note_taken(&outcome, &parser, at);
            http_parser_reset(&parser);
        } else if (outcome.status == STATUS_NEED_MORE) {
            assert_true(used == piece_bytes || parser.stage == HTTP_STAGE_BODY);
        } else {
            assert_non_null(parser.reason);
        }
        free(piece);
    }
    /* Blanks between requests are no request that is waited for. */
    if (outcome.status == STATUS_NEED_MORE && parser.stage == HTTP_STAGE_IDLE &&
        outcome.taken > 0) {
        outcome.status = 0;
    }
    http_parser_reset(&parser);
    return outcome;
}

/* --- the corpus ------------------------------------------------------------------------------- */

static const char *name_of(int status)
{
    return status == 0 ? "taken" : status_info(status)->name;
}

static unsigned check_case(const struct http_case *row, const char *how, cut_fn cut,
                           struct rng *rng)
{
    struct outcome got = feed(row->bytes, row->length, cut, rng);
    if (got.status == row->want && got.taken == row->taken &&
        (row->want != 0 || got.body == row->body)) {
        return 0;
    }
    print_error("%s, %s: got %s, %u taken, body of %zu; want %s, %u, %zu\n", row->name, how,
                name_of(got.status), got.taken, got.body, name_of(row->want), row->taken,
                row->body);
    return 1;
}

static void run_corpus(const char *how, cut_fn cut, unsigned times)
{
    size_t n;
    unsigned wrong = 0;
    struct rng rng = rng_make(how);
    struct http_case *cases = http_corpus_load(&n);
    for (size_t i = 0; i < n; i++) {
        for (unsigned t = 0; t < times; t++) {
            wrong += check_case(&cases[i], how, cut, &rng);
        }
    }
    http_corpus_free(cases, n);
    assert_u64(wrong, 0);
}

static void corpus__whole__each_as_wanted(void **state)
{
    (void)state;
    run_corpus("whole", cut_whole, 1);
}

static void corpus__byte_by_byte__each_as_wanted(void **state)
{
    (void)state;
    run_corpus("byte by byte", cut_byte, 1);
}

static void corpus__random_cuts__each_as_wanted(void **state)
{
    (void)state;
    run_corpus("random cuts", cut_random, 8);
}

/* --- what a request says ---------------------------------------------------------------------- */

static int feed_text(struct http_parser *parser, const char *text)
{
    size_t used = 0;
    http_parser_init(parser, &limits);
    int rc = http_parser_feed(parser, text, strlen(text), &used);
    text += used;
    return rc == STATUS_NEED_MORE && *text != '\0'
               ? http_parser_feed(parser, text, strlen(text), &used)
               : rc;
}

#define assert_slice(slice, expected) assert_text((slice).data, (slice).length, expected)

static void message__parts__are_those_sent(void **state)
{
    (void)state;
    struct http_parser parser;
    assert_ok(feed_text(&parser, "PATCH /a/b?c=d&e?f HTTP/1.1\r\nHost: h\r\n"
                                 "Content-TYPE: \t application/json \t\r\nX-Other: 1\r\n"
                                 "Idempotency-Key: \"k 1\"\r\nX-Request-Id:\r\n"
                                 "Content-Length: 2\r\n\r\n{}"));
    const struct http_message *m = &parser.message;
    assert_slice(m->method, "PATCH");
    assert_slice(m->path, "/a/b");
    assert_slice(m->query, "c=d&e?f");
    assert_slice(m->headers[HTTP_CONTENT_TYPE], "application/json");
    assert_slice(m->headers[HTTP_IDEMPOTENCY_KEY], "\"k 1\"");
    assert_non_null(m->headers[HTTP_X_REQUEST_ID].data);
    assert_slice(m->headers[HTTP_X_REQUEST_ID], "");
    assert_null(m->headers[HTTP_EXPECT].data);
    assert_slice(m->body, "{}");
    assert_true(m->keep_alive);
    assert_false(m->is_1_0);
    http_parser_reset(&parser);
}

/* A list that comes in pieces is one list. */
static void message__accept__may_be_there_more_than_once(void **state)
{
    (void)state;
    struct http_parser parser;
    assert_ok(feed_text(&parser, "GET / HTTP/1.1\r\nHost: h\r\nAccept:\r\nACCEPT: text/html\r\n"
                                 "accept: text/csv;q=0.5, application/json;q=0.1\r\n\r\n"));
    assert_int_equal(http_accept_choose(&parser.message.accept), HTTP_MEDIA_CSV);
    http_parser_reset(&parser);
    assert_ok(feed_text(&parser, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    assert_int_equal(http_accept_choose(&parser.message.accept), HTTP_MEDIA_JSON);
    http_parser_reset(&parser);
}

static void message__keep_alive__follows_version_and_connection(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool keep_alive;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", true},
        {"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Close\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nHost: h\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nHost: h\r\nConnection: Keep-Alive\r\n\r\n", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_parser parser;
        assert_ok(feed_text(&parser, cases[i].text));
        assert_int_equal(parser.message.keep_alive, cases[i].keep_alive);
        http_parser_reset(&parser);
    }
}

static void continue__is_awaited_until_the_body_comes(void **state)
{
    (void)state;
    struct http_parser parser;
    size_t used;
    assert_status(feed_text(&parser, "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                                     "Content-Length: 2\r\n\r\n"),
                  STATUS_NEED_MORE);
    assert_true(http_parser_awaits_continue(&parser));
    assert_status(http_parser_feed(&parser, "a", 1, &used), STATUS_NEED_MORE);
    assert_false(http_parser_awaits_continue(&parser));
    assert_ok(http_parser_feed(&parser, "b", 1, &used));
    http_parser_reset(&parser);
    assert_status(feed_text(&parser, "POST / HTTP/1.0\r\nHost: h\r\nExpect: 100-continue\r\n"
                                     "Content-Length: 2\r\n\r\n"),
                  STATUS_NEED_MORE);
    assert_false(http_parser_awaits_continue(&parser));
    http_parser_reset(&parser);
}

/* So that a door can look at the head before it takes any of the body. */
static void feed__a_head_with_a_body_behind_it__stops_between(void **state)
{
    static const char head[] =
        "POST /p HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer x\r\nContent-Length: 4\r\n\r\n";
    const char *stream = testkit_format("%sbodyGET /", head);
    struct http_parser parser;
    size_t used;
    (void)state;
    http_parser_init(&parser, &limits);
    assert_status(http_parser_feed(&parser, stream, strlen(stream), &used), STATUS_NEED_MORE);
    assert_u64(used, strlen(head));
    assert_int_equal(parser.stage, HTTP_STAGE_BODY);
    assert_slice(parser.message.path, "/p");
    assert_slice(parser.message.headers[HTTP_AUTHORIZATION], "Bearer x");
    assert_u64(parser.body.capacity, 0);
    assert_ok(http_parser_feed(&parser, stream + used, strlen(stream) - used, &used));
    assert_u64(used, 4);
    assert_slice(parser.message.body, "body");
    http_parser_reset(&parser);
}

static void skip_body__keeps_none_of_it_and_finds_its_end(void **state)
{
    static const char *const bodies[] = {
        "Content-Length: 10\r\n\r\n0123456789",
        "Transfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n6\r\n456789\r\n0\r\n\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        const char *text = testkit_format("POST / HTTP/1.1\r\nHost: h\r\n%s", bodies[i]);
        size_t length = strlen(text);
        struct http_parser parser;
        size_t used;
        http_parser_init(&parser, &limits);
        assert_status(http_parser_feed(&parser, text, length, &used), STATUS_NEED_MORE);
        http_parser_skip_body(&parser);
        for (size_t at = used; at < length; at++) {
            int rc = http_parser_feed(&parser, text + at, 1, &used);
            assert_status(rc, at + 1 < length ? STATUS_NEED_MORE : 0);
            assert_u64(parser.body.capacity, 0);
        }
        assert_u64(parser.arrived, 10);
        assert_u64(parser.message.body.length, 0);
        http_parser_reset(&parser);
    }
}

/* --- mutants ---------------------------------------------------------------------------------- */

/* One request, read once more: by lines and whole, where the parser goes by bytes. */
struct reading {
    const char *at;
    const char *end;
    size_t body;
};

static bool take_line(struct reading *r, struct slice *ret)
{
    const char *crlf = memmem(r->at, (size_t)(r->end - r->at), "\r\n", 2);
    if (crlf == NULL) {
        return false;
    }
    *ret = (struct slice){r->at, (size_t)(crlf - r->at)};
    r->at = crlf + 2;
    for (size_t i = 0; i < ret->length; i++) {
        unsigned char c = (unsigned char)ret->data[i];
        if ((c < ' ' && c != '\t') || c == 0x7F) {
            return false;
        }
    }
    return true;
}

static bool ends_in(struct slice line, const char *end)
{
    size_t length = strlen(end);
    return line.length >= length && memcmp(line.data + line.length - length, end, length) == 0;
}

static unsigned count(struct slice text, char c)
{
    unsigned n = 0;
    for (size_t i = 0; i < text.length; i++) {
        n += text.data[i] == c;
    }
    return n;
}

static bool is_request_line(struct slice line)
{
    return count(line, ' ') == 2 && count(line, '\t') == 0 &&
           (ends_in(line, " HTTP/1.1") || ends_in(line, " HTTP/1.0"));
}

static bool is_header(struct slice line, const char *name, struct slice *ret_value)
{
    size_t length = strlen(name);
    if (line.length <= length || strncasecmp(line.data, name, length) != 0 ||
        line.data[length] != ':') {
        return false;
    }
    struct slice value = {line.data + length + 1, line.length - length - 1};
    while (value.length > 0 && strchr(" \t", value.data[0]) != NULL) {
        value.data++;
        value.length--;
    }
    while (value.length > 0 && strchr(" \t", value.data[value.length - 1]) != NULL) {
        value.length--;
    }
    *ret_value = value;
    return true;
}

static bool is_header_line(struct slice line)
{
    const char *colon = memchr(line.data, ':', line.length);
    if (colon == NULL || colon == line.data) {
        return false;
    }
    for (const char *c = line.data; c < colon; c++) {
        if (*c <= ' ' || strchr("()<>@,;\\\"/[]?={}\x7F", *c) != NULL || (*c & 0x80) != 0) {
            return false;
        }
    }
    return true;
}

struct framing {
    unsigned hosts, lengths, encodings;
    uint64_t length;
};

static bool note_header(struct framing *framing, struct slice line)
{
    struct slice value;
    char digits[24] = "";
    if (is_header(line, "Host", &value)) {
        framing->hosts++;
        return value.length > 0;
    }
    if (is_header(line, "Content-Length", &value)) {
        framing->lengths++;
        if (value.length == 0 || value.length > 20) {
            return false;
        }
        memcpy(digits, value.data, value.length);
        framing->length = strtoull(digits, NULL, 10);
        return strspn(digits, "0123456789") == value.length;
    }
    if (is_header(line, "Transfer-Encoding", &value)) {
        framing->encodings++;
        return value.length == 7 && strncasecmp(value.data, "chunked", 7) == 0;
    }
    return true;
}

static bool pass(struct reading *r, uint64_t bytes)
{
    if (bytes > (uint64_t)(r->end - r->at)) {
        return false;
    }
    r->at += bytes;
    return true;
}

static bool read_chunks(struct reading *r)
{
    struct slice line;
    for (;;) {
        char digits[20] = "";
        if (!take_line(r, &line) || line.length == 0 || line.length > 16) {
            return false;
        }
        memcpy(digits, line.data, line.length);
        if (strspn(digits, "0123456789abcdefABCDEF") != line.length) {
            return false;
        }
        uint64_t size = strtoull(digits, NULL, 16);
        if (!pass(r, size) || !take_line(r, &line) || line.length != 0) {
            return false;
        }
        if (size == 0) {
            return true;
        }
        r->body += size;
    }
}

/* Whether one request, and which body, stands at R->at; then R->at is behind it. */
static bool read_request(struct reading *r)
{
    struct framing framing = {0};
    struct slice line;
    bool good = take_line(r, &line);
    for (int blanks = 0; good && line.length == 0 && blanks < 2; blanks++) {
        good = take_line(r, &line);
    }
    bool is_1_0 = good && ends_in(line, "1.0");
    good = good && is_request_line(line);
    while (good && (good = take_line(r, &line)) && line.length > 0) {
        good = is_header_line(line) && note_header(&framing, line);
    }
    if (!good || framing.lengths + framing.encodings > 1 || framing.hosts > 1 ||
        (framing.hosts == 0 && !is_1_0) || (framing.encodings > 0 && is_1_0)) {
        return false;
    }
    if (framing.encodings > 0) {
        return read_chunks(r);
    }
    r->body = framing.length;
    return pass(r, framing.length);
}

static const char *const spice[] = {
    "\r",
    "\n",
    "\r\n",
    " ",
    "\t",
    ":",
    ";",
    ",",
    "0",
    "3",
    "\0",
    "\v",
    "G",
    "\x7F",
    "\xFF",
    "\r\n ",
    "\r\n\r\n",
    "chunked",
    "Content-Length: 3\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Host: h\r\n",
    "HTTP/1.1",
};

static void insert(char *bytes, size_t *length, size_t at, const char *text, size_t text_length)
{
    memmove(bytes + at + text_length, bytes + at, *length - at);
    memcpy(bytes + at, text, text_length);
    *length += text_length;
}

static void mutate(struct rng *rng, char *bytes, size_t *length)
{
    size_t at = (size_t)rng_below(rng, *length);
    switch (rng_below(rng, 5)) {
    case 0:
        bytes[at] = (char)rng_next(rng);
        break;
    case 1:
        memmove(bytes + at, bytes + at + 1, *length - at - 1);
        *length -= *length > 1;
        break;
    case 2: { /* a piece of itself again */
        char piece[32];
        size_t n = 1 + (size_t)rng_below(rng, sizeof piece);
        n = n < *length - at ? n : *length - at;
        memcpy(piece, bytes + at, n);
        insert(bytes, length, (size_t)rng_below(rng, *length), piece, n);
        break;
    }
    default: {
        const char *text = spice[rng_below(rng, sizeof spice / sizeof spice[0])];
        insert(bytes, length, at, text, text[0] == '\0' ? 1 : strlen(text));
        break;
    }
    }
}

static void check_mutant(const char *bytes, size_t length, struct rng *rng)
{
    struct outcome got = feed(bytes, length, cut_random, rng);
    struct outcome whole = feed(bytes, length, cut_whole, rng);
    struct reading r = {.at = bytes, .end = bytes + length};
    if (got.status != whole.status || got.taken != whole.taken || got.body != whole.body) {
        testkit_fail("cuts matter: %.*s", (int)length, bytes);
    }
    for (unsigned i = 0; i < got.taken; i++) {
        r.body = 0;
        if (!read_request(&r)) {
            testkit_fail("request %u should be refused: %.*s", i, (int)length, bytes);
        }
    }
    if (got.taken > 0 && (got.body != r.body || got.taken_bytes != (size_t)(r.at - bytes))) {
        testkit_fail("another end or body: %.*s", (int)length, bytes);
    }
}

/* As by a reload. */
static void chunks__a_bound_that_was_lowered_meanwhile__holds_for_the_next(void **state)
{
    struct http_chunks chunks = {0};
    const char *reason;
    size_t used;
    (void)state;
    assert_int_equal(http_chunks_check(&chunks, 4, "4\r\nabcd\r\n", 9, &used, &reason),
                     STATUS_NEED_MORE);
    assert_int_equal(http_chunks_check(&chunks, 2, "1\r\ne", 4, &used, &reason), STATUS_TOO_LARGE);
}

/* $BILLING_TEST_MUTANTS asks for more of them. */
static void mutants__what_is_taken__a_second_reading_takes_too(void **state)
{
    (void)state;
    size_t n;
    struct rng rng = rng_make("mutants");
    struct http_case *cases = http_corpus_load(&n);
    const char *wanted = getenv("BILLING_TEST_MUTANTS");
    unsigned long mutants = wanted == NULL ? MUTANTS : strtoul(wanted, NULL, 10);
    unsigned taken = 0;
    for (unsigned long i = 0; i < mutants; i++) {
        const struct http_case *row = &cases[rng_below(&rng, n)];
        char bytes[2048];
        size_t length = row->length;
        if (length > 512) {
            continue;
        }
        memcpy(bytes, row->bytes, length);
        if (rng_below(&rng, 2) == 0) { /* and another behind it */
            const struct http_case *next = &cases[rng_below(&rng, n)];
            size_t more = next->length < 512 ? next->length : 0;
            memcpy(bytes + length, next->bytes, more);
            length += more;
        }
        for (uint64_t times = 1 + rng_below(&rng, 3); times > 0; times--) {
            mutate(&rng, bytes, &length);
        }
        check_mutant(bytes, length, &rng);
        taken += feed(bytes, length, cut_whole, &rng).taken;
    }
    http_corpus_free(cases, n);
    assert_true(taken > mutants / 100); /* else nothing was compared */
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(corpus__whole__each_as_wanted),
    cmocka_unit_test(corpus__byte_by_byte__each_as_wanted),
    cmocka_unit_test(corpus__random_cuts__each_as_wanted),
    cmocka_unit_test(message__parts__are_those_sent),
    cmocka_unit_test(message__accept__may_be_there_more_than_once),
    cmocka_unit_test(message__keep_alive__follows_version_and_connection),
    cmocka_unit_test(continue__is_awaited_until_the_body_comes),
    cmocka_unit_test(feed__a_head_with_a_body_behind_it__stops_between),
    cmocka_unit_test(skip_body__keeps_none_of_it_and_finds_its_end),
    cmocka_unit_test(chunks__a_bound_that_was_lowered_meanwhile__holds_for_the_next),
    cmocka_unit_test(mutants__what_is_taken__a_second_reading_takes_too),
};

TESTKIT_MAIN(tests)
