#include "tests/unit/http_corpus.h"

#include <stdlib.h>
#include <string.h>

#include "proto/status.h"

/* clang-format off: a table */

#define LINE  "POST /x HTTP/1.1\r\n"
#define HEAD  LINE "Host: h\r\n"
#define LEN   "Content-Length: 3\r\n"
#define CHUNK "Transfer-Encoding: chunked\r\n"
#define END   "\r\n"
#define DATA  "3\r\nabc\r\n0\r\n\r\n"

#define TEXT(text) .bytes = (text), .length = sizeof(text) - 1
#define TAKEN_N(is, text, n, bytes_)                                                               \
    {                                                                                              \
        .name = (is), TEXT(text), .taken = (n), .body = (bytes_)                                   \
    }
#define TAKEN(is, text) TAKEN_N(is, text, 1, 3)
#define REFUSED(is, text, status)                                                                  \
    {                                                                                              \
        .name = (is), TEXT(text), .want = (status)                                                 \
    }
#define BAD(is, text)   REFUSED(is, text, STATUS_MALFORMED_HTTP)
#define WAITS(is, text) REFUSED(is, text, STATUS_NEED_MORE)
#define FILLED(is, text, with, n, status)                                                          \
    {                                                                                              \
        .name = (is), TEXT(text), .fill = (with), .times = (n), .want = (status)                   \
    }
#define LARGE(is, text, with, n, bytes_)                                                           \
    {                                                                                              \
        .name = (is), TEXT(text), .fill = (with), .times = (n), .taken = 1, .body = (bytes_)       \
    }

static const struct http_case table[] = {
    /* --- lawful, to know that the rest is not refused for its frame --- */
    TAKEN("plain POST", HEAD LEN END "abc"),
    TAKEN("chunked POST", HEAD CHUNK END DATA),
    TAKEN_N("GET without body", "GET /x HTTP/1.1\r\nHost: h\r\n\r\n", 1, 0),
    TAKEN("HTTP/1.0", "POST /x HTTP/1.0\r\nHost: h\r\n" LEN END "abc"),
    TAKEN("HTTP/1.0 without Host", "POST /x HTTP/1.0\r\n" LEN END "abc"),
    TAKEN("no blank behind a colon", LINE "Host:h\r\nContent-Length:3\r\n\r\nabc"),
    TAKEN("empty header value", HEAD "X-A:\r\n" LEN END "abc"),
    TAKEN("upper and lower case in chunk sizes", HEAD CHUNK END "1\r\na\r\n002\r\nbc\r\n0\r\n\r\n"),
    TAKEN_N("empty chunked body", HEAD CHUNK END "0\r\n\r\n", 1, 0),
    TAKEN_N("Content-Length: 0", HEAD "Content-Length: 0\r\n\r\n", 1, 0),
    TAKEN_N("two pipelined", HEAD LEN END "abc" HEAD CHUNK END DATA, 2, 3),
    TAKEN_N("three pipelined, a blank line between",
            HEAD LEN END "abc\r\n"
                         "GET / HTTP/1.1\r\nHost: h\r\n\r\n" HEAD LEN END "abc",
            3, 3),
    TAKEN_N("OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 1, 0),
    TAKEN("IPv6 host with port", LINE "Host: [::1]:3001\r\n" LEN END "abc"),

    /* --- Content-Length --- */
    BAD("two equal lengths", HEAD LEN LEN END "abc"),
    BAD("two different lengths", HEAD LEN "Content-Length: 4\r\n\r\nabcd"),
    BAD("length '3,3'", HEAD "Content-Length: 3,3\r\n\r\nabc"),
    BAD("length '+3'", HEAD "Content-Length: +3\r\n\r\nabc"),
    TAKEN("length with blanks around", HEAD "Content-Length:  3 \r\n\r\nabc"),
    BAD("length '3 3'", HEAD "Content-Length: 3 3\r\n\r\nabc"),
    BAD("length 0x3", HEAD "Content-Length: 0x3\r\n\r\nabc"),
    BAD("length -3", HEAD "Content-Length: -3\r\n\r\nabc"),
    BAD("length empty", HEAD "Content-Length: \r\n\r\nabc"),
    REFUSED("length 2^63", HEAD "Content-Length: 9223372036854775808\r\n\r\nabc", STATUS_TOO_LARGE),
    BAD("length 2^64 + 3", HEAD "Content-Length: 18446744073709551619\r\n\r\nabc"),
    TAKEN("length 003", HEAD "Content-Length: 003\r\n\r\nabc"),
    BAD("length '3' VT", HEAD "Content-Length: 3\v\r\n\r\nabc"),
    BAD("length FF '3'", HEAD "Content-Length: \f3\r\n\r\nabc"),
    BAD("length '3;'", HEAD "Content-Length: 3;\r\n\r\nabc"),
    BAD("length NBSP '3'", HEAD "Content-Length: \xA0"
                                "3\r\n\r\nabc"),
    BAD("length folded", HEAD "Content-Length: 3\r\n\t5\r\n\r\nabc"),
    BAD("length cut by NUL", HEAD "Content-Length: 3\0 9\r\n\r\nabc"),
    BAD("length '3.0'", HEAD "Content-Length: 3.0\r\n\r\nabc"),
    BAD("length in full-width digits", HEAD "Content-Length: \xEF\xBC\x93\r\n\r\nabc"),
    REFUSED("length one over the limit", HEAD "Content-Length: 1048577\r\n\r\nabc",
            STATUS_TOO_LARGE),

    /* --- Transfer-Encoding --- */
    BAD("length, then chunked", HEAD LEN CHUNK END DATA),
    BAD("chunked, then length", HEAD CHUNK LEN END DATA),
    BAD("encoding xchunked", HEAD "Transfer-Encoding: xchunked\r\n\r\n" DATA),
    BAD("encoding chunked, identity", HEAD "Transfer-Encoding: chunked, identity\r\n\r\n" DATA),
    REFUSED("encoding gzip, chunked", HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n" DATA,
            STATUS_NOT_IMPLEMENTED),
    BAD("encoding chunked, chunked", HEAD "Transfer-Encoding: chunked, chunked\r\n\r\n" DATA),
    BAD("chunked on two lines", HEAD CHUNK CHUNK END DATA),
    BAD("encoding identity", HEAD "Transfer-Encoding: identity\r\n\r\n" DATA),
    BAD("encoding identity with a length", HEAD "Transfer-Encoding: identity\r\n" LEN END "abc"),
    BAD("encoding xchunked with a length", HEAD "Transfer-Encoding: xchunked\r\n" LEN END "abc"),
    BAD("chunked on HTTP/1.0", "POST /x HTTP/1.0\r\nHost: h\r\n" CHUNK END DATA),
    BAD("blank before the encoding's colon", HEAD "Transfer-Encoding : chunked\r\n\r\n" DATA),
    BAD("blank before the encoding's colon, with a length",
        HEAD "Transfer-Encoding : chunked\r\n" LEN END DATA),
    TAKEN("tab before the encoding", HEAD "Transfer-Encoding:\tchunked\r\n\r\n" DATA),
    BAD("VT before the encoding", HEAD "Transfer-Encoding: \vchunked\r\n\r\n" DATA),
    BAD("VT before the encoding, with a length",
        HEAD "Transfer-Encoding: \vchunked\r\n" LEN END "abc"),
    BAD("encoding in quotes", HEAD "Transfer-Encoding: \"chunked\"\r\n\r\n" DATA),
    TAKEN("encoding in mixed case", HEAD "tRANSFER-eNCODING: Chunked\r\n\r\n" DATA),
    BAD("encoding chunked NUL", HEAD "Transfer-Encoding: chunked\0\r\n\r\n" DATA),
    BAD("encoding chunked;q=1", HEAD "Transfer-Encoding: chunked;q=1\r\n\r\n" DATA),
    REFUSED("encoding ',chunked'", HEAD "Transfer-Encoding: ,chunked\r\n\r\n" DATA,
            STATUS_NOT_IMPLEMENTED),
    BAD("encoding empty, with a length", HEAD "Transfer-Encoding: \r\n" LEN END "abc"),
    BAD("encoding identity, then chunked on another line",
        HEAD "Transfer-Encoding: identity\r\n" CHUNK END DATA),
    BAD("encoding chunked, then identity on another line",
        HEAD CHUNK "Transfer-Encoding: identity\r\n\r\n" DATA),
    BAD("encoding and length in mixed case",
        HEAD "transfer-ENCODING: chunked\r\ncontent-LENGTH: 3\r\n\r\n" DATA),
    BAD("a request behind the last chunk, by length and chunked",
        HEAD "Content-Length: 6\r\n" CHUNK END "0\r\n\r\nG"),

    /* --- lines --- */
    BAD("folded header", HEAD "X-A: b\r\n c\r\n" LEN END "abc"),
    BAD("folded encoding", HEAD "Transfer-Encoding:\r\n chunked\r\n\r\n" DATA),
    BAD("bare LF everywhere", "POST /x HTTP/1.1\nHost: h\nContent-Length: 3\n\nabc"),
    BAD("bare LF in one header", HEAD "X-A: b\n" LEN END "abc"),
    BAD("bare CR in a value", HEAD "X-A: b\rc\r\n" LEN END "abc"),
    BAD("bare CR before a hidden length", HEAD "X-A: b\rContent-Length: 3\r\n\r\nabc"),
    BAD("CR before an encoding in a value", HEAD "X-A: \rTransfer-Encoding: chunked\r\n\r\n" DATA),
    BAD("NUL in a value", HEAD "X-A: b\0c\r\n" LEN END "abc"),
    BAD("NUL in a name", HEAD "X\0A: b\r\n" LEN END "abc"),
    BAD("blank before the first header", LINE " Host: h\r\n" LEN END "abc"),
    BAD("blank before a later length", HEAD " Content-Length: 3\r\n\r\nabc"),
    BAD("tab before a length", HEAD "\tContent-Length: 3\r\n\r\nabc"),
    BAD("header without colon", HEAD "X-A\r\n" LEN END "abc"),
    BAD("empty header name", HEAD ": x\r\n" LEN END "abc"),
    BAD("blank in a header name", HEAD "X A: b\r\n" LEN END "abc"),
    BAD("name with 0xff", HEAD "X\xFF: b\r\n" LEN END "abc"),
    BAD("name with DEL", HEAD "X\x7F: b\r\n" LEN END "abc"),
    BAD("name with '@'", HEAD "X@: b\r\n" LEN END "abc"),
    BAD("value with ESC", HEAD "X-A: \x1B[0m\r\n" LEN END "abc"),
    BAD("value with DEL", HEAD "X-A: b\x7F\r\n" LEN END "abc"),
    BAD("CR CR LF behind the request line", "POST /x HTTP/1.1\r\r\nHost: h\r\n" LEN END "abc"),
    BAD("CR CR LF behind a header", HEAD "X-A: b\r\r\n" LEN END "abc"),
    BAD("LF CR LF ends the head", HEAD "Content-Length: 3\n\r\nabc"),
    BAD("CR LF LF ends the head", HEAD LEN "\nabc"),
    BAD("CR X ends the head", HEAD LEN "\rXabc"),
    BAD("CR LF CR X ends the head", HEAD "Content-Length: 3\r\n\rXabc"),

    /* --- Host --- */
    BAD("no Host", LINE LEN END "abc"),
    BAD("two Hosts", HEAD "Host: g\r\n" LEN END "abc"),
    BAD("two Hosts in other case", HEAD "hOST: h\r\n" LEN END "abc"),
    BAD("Host with a path", LINE "Host: h/x\r\n" LEN END "abc"),
    BAD("Host user@h", LINE "Host: user@h\r\n" LEN END "abc"),
    BAD("Host with comma", LINE "Host: h,g\r\n" LEN END "abc"),
    BAD("Host with blank", LINE "Host: h g\r\n" LEN END "abc"),
    BAD("Host empty", LINE "Host:\r\n" LEN END "abc"),
    BAD("Host with 0x80", LINE "Host: h\x80\r\n" LEN END "abc"),

    /* --- the request line --- */
    BAD("absolute target", "POST http://h/x HTTP/1.1\r\nHost: h\r\n" LEN END "abc"),
    REFUSED("HTTP/9.9", "POST /x HTTP/9.9\r\nHost: h\r\n" LEN END "abc", STATUS_HTTP_VERSION),
    REFUSED("HTTP/1.2", "POST /x HTTP/1.2\r\nHost: h\r\n" LEN END "abc", STATUS_HTTP_VERSION),
    REFUSED("HTTP/1.10", "POST /x HTTP/1.10\r\nHost: h\r\n" LEN END "abc", STATUS_HTTP_VERSION),
    REFUSED("HTTP/01.1", "POST /x HTTP/01.1\r\nHost: h\r\n" LEN END "abc", STATUS_HTTP_VERSION),
    REFUSED("HTTP/2.0", "POST /x HTTP/2.0\r\nHost: h\r\n" LEN END "abc", STATUS_HTTP_VERSION),
    BAD("HTTP/1", "POST /x HTTP/1\r\nHost: h\r\n" LEN END "abc"),
    BAD("HTTP/1.1 NUL", "POST /x HTTP/1.1\0\r\nHost: h\r\n" LEN END "abc"),
    BAD("http/1.1", "POST /x http/1.1\r\nHost: h\r\n" LEN END "abc"),
    BAD("HTTPS/1.1", "POST /x HTTPS/1.1\r\nHost: h\r\n" LEN END "abc"),
    BAD("ICE/1.0", "POST /x ICE/1.0\r\nHost: h\r\n" LEN END "abc"),
    BAD("RTSP/1.0", "OPTIONS /x RTSP/1.0\r\nHost: h\r\n\r\n"),
    BAD("no version", "POST /x\r\nHost: h\r\n" LEN END "abc"),
    BAD("a method alone", "GET\r\n\r\n"),
    BAD("two blanks before the target", "POST  /x HTTP/1.1\r\nHost: h\r\n" LEN END "abc"),
    BAD("two blanks before the version", "POST /x  HTTP/1.1\r\nHost: h\r\n" LEN END "abc"),
    BAD("tabs between", "POST\t/x\tHTTP/1.1\r\nHost: h\r\n" LEN END "abc"),
    BAD("blank behind the version", "POST /x HTTP/1.1 \r\nHost: h\r\n" LEN END "abc"),
    BAD("blank in the target", "POST /x y HTTP/1.1\r\nHost: h\r\n" LEN END "abc"),
    REFUSED("method in lower case", "post /x HTTP/1.1\r\nHost: h\r\n" LEN END "abc",
            STATUS_NOT_IMPLEMENTED),
    REFUSED("method FOO", "FOO /x HTTP/1.1\r\nHost: h\r\n" LEN END "abc", STATUS_NOT_IMPLEMENTED),
    BAD("method with NUL", "PO\0ST /x HTTP/1.1\r\nHost: h\r\n" LEN END "abc"),
    TAKEN("target with %00", "POST /%00 HTTP/1.1\r\nHost: h\r\n" LEN END "abc"),
    BAD("target with NUL", "POST /\0x HTTP/1.1\r\nHost: h\r\n" LEN END "abc"),
    TAKEN("target with ..", "POST /../x HTTP/1.1\r\nHost: h\r\n" LEN END "abc"),
    TAKEN("target with //", "POST //x HTTP/1.1\r\nHost: h\r\n" LEN END "abc"),
    BAD("target in raw UTF-8", "POST /\xC3\xA4 HTTP/1.1\r\nHost: h\r\n" LEN END "abc"),
    BAD("target with 0x01", "POST /\x01 HTTP/1.1\r\nHost: h\r\n" LEN END "abc"),
    BAD("target with fragment", "POST /x#y HTTP/1.1\r\nHost: h\r\n" LEN END "abc"),
    BAD("target without slash", "POST x HTTP/1.1\r\nHost: h\r\n" LEN END "abc"),
    TAKEN("target with backslash", "POST /x\\y HTTP/1.1\r\nHost: h\r\n" LEN END "abc"),
    TAKEN("target with quotes and angles", "POST /\"<x> HTTP/1.1\r\nHost: h\r\n" LEN END "abc"),
    BAD("POST *", "POST * HTTP/1.1\r\nHost: h\r\n" LEN END "abc"),
    BAD("OPTIONS *x", "OPTIONS *x HTTP/1.1\r\nHost: h\r\n\r\n"),
    BAD("OPTIONS *?x", "OPTIONS *?x HTTP/1.1\r\nHost: h\r\n\r\n"),
    BAD("CONNECT", "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n"),
    BAD("leading blank", " POST /x HTTP/1.1\r\nHost: h\r\n" LEN END "abc"),
    TAKEN("leading CRLF", "\r\nPOST /x HTTP/1.1\r\nHost: h\r\n" LEN END "abc"),
    BAD("three leading CRLF", "\r\n\r\n\r\n" HEAD LEN END "abc"),
    BAD("leading LF", "\nPOST /x HTTP/1.1\r\nHost: h\r\n" LEN END "abc"),
    BAD("empty line, then no request", "\r\n\x01\x02junk"),
    REFUSED("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", STATUS_HTTP_VERSION),
    BAD("TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03"),
    TAKEN_N("Upgrade: h2c alone is passed over",
            "GET /x HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\n\r\n", 1, 0),
    TAKEN_N("Upgrade to h2c is passed over",
            "GET /x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\n"
            "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
            1, 0),
    TAKEN("Upgrade with a body is passed over",
          HEAD "Connection: Upgrade\r\nUpgrade: h2c\r\n" LEN END "abc"),
    TAKEN_N("GET with a body, then GET",
            "GET /x HTTP/1.1\r\nHost: h\r\n" LEN END "abc"
            "GET /x HTTP/1.1\r\nHost: h\r\n\r\n",
            2, 0),

    /* --- chunks --- */
    BAD("chunk size 0x3", HEAD CHUNK END "0x3\r\nabc\r\n0\r\n\r\n"),
    BAD("chunk size -3", HEAD CHUNK END "-3\r\nabc\r\n0\r\n\r\n"),
    BAD("chunk size +3", HEAD CHUNK END "+3\r\nabc\r\n0\r\n\r\n"),
    BAD("chunk size ' 3'", HEAD CHUNK END " 3\r\nabc\r\n0\r\n\r\n"),
    BAD("chunk size '3 '", HEAD CHUNK END "3 \r\nabc\r\n0\r\n\r\n"),
    BAD("chunk size of 17 digits", HEAD CHUNK END "10000000000000003\r\nabc\r\n0\r\n\r\n"),
    BAD("chunk size of 17 digits, leading 0",
        HEAD CHUNK END "00000000000000003\r\nabc\r\n0\r\n\r\n"),
    REFUSED("chunk size of 16 f", HEAD CHUNK END "ffffffffffffffff\r\nabc", STATUS_TOO_LARGE),
    REFUSED("chunk one over the limit", HEAD CHUNK END "100001\r\nabc", STATUS_TOO_LARGE),
    REFUSED("second chunk over the limit", HEAD CHUNK END "3\r\nabc\r\nffffe\r\nabc",
            STATUS_TOO_LARGE),
    BAD("chunk extension", HEAD CHUNK END "3;a=b\r\nabc\r\n0\r\n\r\n"),
    BAD("chunk extension without name", HEAD CHUNK END "3;\r\nabc\r\n0\r\n\r\n"),
    BAD("chunk extension on the last", HEAD CHUNK END "3\r\nabc\r\n0;a\r\n\r\n"),
    BAD("LF in a chunk extension", HEAD CHUNK END "3;a\nb\r\nabc\r\n0\r\n\r\n"),
    BAD("CR in a chunk extension", HEAD CHUNK END "3;a\rb\r\nabc\r\n0\r\n\r\n"),
    BAD("chunk size '3;' NUL", HEAD CHUNK END "3;\0\r\nabc\r\n0\r\n\r\n"),
    BAD("bare LF behind a chunk size", HEAD CHUNK END "3\nabc\r\n0\r\n\r\n"),
    BAD("chunk data longer than its size", HEAD CHUNK END "3\r\nabcd\r\n0\r\n\r\n"),
    BAD("chunk data shorter than its size", HEAD CHUNK END "3\r\nab\r\n0\r\n\r\n"),
    BAD("bare LF behind chunk data", HEAD CHUNK END "3\r\nabc\n0\r\n\r\n"),
    BAD("CR X behind chunk data", HEAD CHUNK END "3\r\nabc\rX0\r\n\r\n"),
    BAD("chunk size 3 VT", HEAD CHUNK END "3\v\r\nabc\r\n0\r\n\r\n"),
    BAD("empty chunk size", HEAD CHUNK END "\r\nabc\r\n0\r\n\r\n"),
    BAD("chunk size CR CR LF", HEAD CHUNK END "3\r\r\nabc\r\n0\r\n\r\n"),
    BAD("chunk size CR X", HEAD CHUNK END "3\rXabc\r\n0\r\n\r\n"),
    BAD("last chunk LF LF", HEAD CHUNK END "3\r\nabc\r\n0\n\n"),
    BAD("last chunk CRLF LF", HEAD CHUNK END "3\r\nabc\r\n0\r\n\n"),
    BAD("last chunk CRLF CR X", HEAD CHUNK END "3\r\nabc\r\n0\r\n\rX"),
    BAD("trailer Content-Length: 9", HEAD CHUNK END "3\r\nabc\r\n0\r\nContent-Length: 9\r\n\r\n"),
    BAD("trailer chunked", HEAD CHUNK END "3\r\nabc\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    BAD("trailer folded", HEAD CHUNK END "3\r\nabc\r\n0\r\nA: b\r\n c\r\n\r\n"),
    BAD("trailer of a blank", HEAD CHUNK END "3\r\nabc\r\n0\r\n \r\n\r\n"),
    BAD("trailer without colon", HEAD CHUNK END "3\r\nabc\r\n0\r\nA\r\n\r\n"),
    BAD("trailer with NUL", HEAD CHUNK END "3\r\nabc\r\n0\r\nA: \0\r\n\r\n"),
    BAD("trailer with bare LF", HEAD CHUNK END "3\r\nabc\r\n0\r\nA: b\n\r\n"),
    BAD("trailer with empty name", HEAD CHUNK END "3\r\nabc\r\n0\r\n: b\r\n\r\n"),
    WAITS("final CRLF missing", HEAD CHUNK END "3\r\nabc\r\n0\r\n"),
    WAITS("body cut short", HEAD LEN END "ab"),

    /* --- the rest of what must be there once --- */
    BAD("two Idempotency-Keys", HEAD "Idempotency-Key: a\r\nIdempotency-Key: a\r\n" LEN END "abc"),
    BAD("two X-Request-Ids", HEAD "X-Request-Id: a\r\nx-request-id: b\r\n" LEN END "abc"),
    BAD("two Content-Types",
        HEAD "Content-Type: text/plain\r\nContent-Type: application/json\r\n" LEN END "abc"),
    REFUSED("another expectation", HEAD "Expect: 200-ok\r\n" LEN END "abc",
            STATUS_EXPECTATION_FAILED),
    TAKEN("Expect: 100-continue", HEAD "Expect: 100-Continue\r\n" LEN END "abc"),

    /* --- size --- */
    FILLED("header of 100 KB", HEAD "X-A: @@\r\n" LEN END "abc", "a", 102400,
           STATUS_HEAD_TOO_LARGE),
    FILLED("header name of 100 KB", HEAD "X@@: a\r\n" LEN END "abc", "a", 102400,
           STATUS_HEAD_TOO_LARGE),
    FILLED("2,000 headers", HEAD "@@" LEN END "abc", "A: b\r\n", 2000, STATUS_HEAD_TOO_LARGE),
    FILLED("101 headers", "GET / HTTP/1.1\r\n@@\r\n", "A: b\r\n", 101, STATUS_HEAD_TOO_LARGE),
    FILLED("target of 100 KB", "POST /@@ HTTP/1.1\r\nHost: h\r\n" LEN END "abc", "a", 102400,
           STATUS_URI_TOO_LONG),
    FILLED("method of 50 KB", "@@ /x HTTP/1.1\r\nHost: h\r\n" LEN END "abc", "A", 51200,
           STATUS_NOT_IMPLEMENTED),
    FILLED("200 KB of empty lines", "@@", "\r\n", 102400, STATUS_MALFORMED_HTTP),
    FILLED("trailer of 100 KB", HEAD CHUNK END "3\r\nabc\r\n0\r\nA: @@\r\n\r\n", "a", 102400,
           STATUS_MALFORMED_HTTP),
    FILLED("chunk extension of 100 KB", HEAD CHUNK END "3;@@\r\nabc\r\n0\r\n\r\n", "a", 102400,
           STATUS_MALFORMED_HTTP),
    FILLED("chunk size of 100 KB of zeros", HEAD CHUNK END "@@\r\n\r\n", "0", 102400,
           STATUS_MALFORMED_HTTP),
    LARGE("body of 1 MiB", HEAD "Content-Length: 1048576\r\n\r\n@@", "a", 1048576, 1048576),
    LARGE("body of 1 MiB in one chunk", HEAD CHUNK END "100000\r\n@@\r\n0\r\n\r\n", "a", 1048576,
          1048576),
    LARGE("body of 10,000 chunks", HEAD CHUNK END "@@0\r\n\r\n", "2\r\nab\r\n", 10000, 20000),
};

/* clang-format on */

static size_t find_mark(const struct http_case *row)
{
    size_t at = 0;
    while (memcmp(row->bytes + at, "@@", 2) != 0) {
        at++;
    }
    return at;
}

static char *put(char *at, const char *bytes, size_t length)
{
    if (length > 0) {
        memcpy(at, bytes, length);
    }
    return at + length;
}

static void fill(const struct http_case *row, struct http_case *ret)
{
    bool filled = row->fill != NULL;
    size_t mark = filled ? find_mark(row) : row->length;
    size_t behind = filled ? mark + 2 : row->length;
    size_t unit = filled ? strlen(row->fill) : 0;
    size_t length = mark + unit * row->times + row->length - behind;
    char *bytes = malloc(length + 1);
    if (bytes == NULL) {
        abort();
    }
    char *at = put(bytes, row->bytes, mark);
    for (size_t i = 0; i < row->times; i++) {
        at = put(at, row->fill, unit);
    }
    *put(at, row->bytes + behind, row->length - behind) = '\0';
    *ret = *row;
    ret->bytes = bytes;
    ret->owned = bytes;
    ret->length = length;
}

struct http_case *http_corpus_load(size_t *ret_n)
{
    size_t n = sizeof table / sizeof table[0];
    struct http_case *cases = calloc(n, sizeof *cases);
    if (cases == NULL) {
        abort();
    }
    for (size_t i = 0; i < n; i++) {
        fill(&table[i], &cases[i]);
    }
    *ret_n = n;
    return cases;
}

void http_corpus_free(struct http_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(cases[i].owned);
    }
    free(cases);
}
