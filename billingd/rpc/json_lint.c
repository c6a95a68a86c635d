#include "billingd/rpc/json_lint.h"

#include <stdbool.h>
#include <stdint.h>

#include "billingd/base/assert.h"
#include "proto/utf8.h"

enum {
    KEPT_DIGITS = 18, /* json-c keeps integers of so many digits */
};

struct lint {
    const char *start;
    const char *at;
    const char *end;
    int status; /* 0 while nothing is wrong */
    const char *reason;
    unsigned depth;
    size_t containers;
    size_t scalars;
    size_t long_integers;
    char *out; /* where a widened copy goes; NULL: none is made */
    const char *copied;
};

static bool wrong(struct lint *l, int status, const char *reason)
{
    l->status = status;
    l->reason = reason;
    return false;
}

static bool malformed(struct lint *l, const char *reason)
{
    return wrong(l, STATUS_MALFORMED_JSON, reason);
}

/* The next byte, or -1 at the end. */
static int peek(const struct lint *l)
{
    return l->at == l->end ? -1 : (unsigned char)*l->at;
}

static bool take(struct lint *l, int byte)
{
    bool there = peek(l) == byte;
    l->at += there;
    return there;
}

static bool is_digit(int byte)
{
    return byte >= '0' && byte <= '9';
}

static void pass_space(struct lint *l)
{
    int c = peek(l);
    while (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        l->at++;
        c = peek(l);
    }
}

/* --- numbers and words ------------------------------------------------------------------------ */

static bool pass_digits(struct lint *l)
{
    const char *from = l->at;
    while (is_digit(peek(l))) {
        l->at++;
    }
    return l->at > from;
}

/* Copy what is not copied yet, and make a number of the integer that ends here which json-c takes
 * for no integer. */
static void widen(struct lint *l)
{
    size_t length = (size_t)(l->at - l->copied);
    l->long_integers++;
    if (l->out != NULL) {
        memcpy(l->out, l->copied, length);
        memcpy(l->out + length, "e0", 2);
        l->out += length + 2;
        l->copied = l->at;
    }
}

static bool check_number(struct lint *l)
{
    bool whole = true;
    take(l, '-');
    const char *from = l->at;
    if (!pass_digits(l) || (*from == '0' && l->at - from > 1)) {
        return malformed(l, "not a number: digits without a leading 0 are expected");
    }
    if (take(l, '.')) {
        whole = false;
        if (!pass_digits(l)) {
            return malformed(l, "not a number: a digit is expected behind the point");
        }
    }
    if (take(l, 'e') || take(l, 'E')) {
        whole = false;
        IGNORE(take(l, '+') || take(l, '-')); /* either may stand there */
        if (!pass_digits(l)) {
            return malformed(l, "not a number: a digit is expected in the exponent");
        }
    }
    if (whole && l->at - from > KEPT_DIGITS) {
        widen(l);
    }
    return true;
}

static bool check_word(struct lint *l)
{
    static const struct slice words[] = {SLICE("true"), SLICE("false"), SLICE("null")};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t length = words[i].length;
        if ((size_t)(l->end - l->at) >= length && memcmp(l->at, words[i].data, length) == 0) {
            l->at += length;
            return true;
        }
    }
    return malformed(l, "a value is expected");
}

/* --- strings ---------------------------------------------------------------------------------- */

/* The hash of a name as it reads: "\u0061" is "a".  FNV-1a of 64 bits; who finds a collision gets
 * only his own request refused. */
struct name {
    uint64_t hash;
    bool has_nul;
};

static void hash_byte(struct name *name, unsigned char byte)
{
    name->hash = (name->hash ^ byte) * UINT64_C(0x100000001B3);
    name->has_nul |= byte == 0;
}

static void hash_code(struct name *name, uint32_t code)
{
    static const unsigned char lead[] = {0, 0xC0, 0xE0, 0xF0};
    unsigned more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    hash_byte(name, (unsigned char)(lead[more] | (code >> (6 * more))));
    while (more > 0) {
        more--;
        hash_byte(name, (unsigned char)(0x80 | ((code >> (6 * more)) & 0x3F)));
    }
}

static bool take_hex4(struct lint *l, uint32_t *ret)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        int c = peek(l);
        int lower = c | 0x20;
        if (is_digit(c)) {
            value = value * 16 + (uint32_t)(c - '0');
        } else if (c > 0 && lower >= 'a' && lower <= 'f') {
            value = value * 16 + (uint32_t)(lower - 'a' + 10);
        } else {
            return malformed(l, "four hexadecimal digits are expected behind \\u");
        }
        l->at++;
    }
    *ret = value;
    return true;
}

/* Behind "\u". */
static bool check_code(struct lint *l, struct name *name)
{
    uint32_t high;
    uint32_t low = 0;
    if (!take_hex4(l, &high)) {
        return false;
    }
    if (high >= 0xD800 && high <= 0xDFFF) {
        bool pair = high <= 0xDBFF && take(l, '\\') && take(l, 'u');
        if (pair && !take_hex4(l, &low)) {
            return false;
        }
        if (low < 0xDC00 || low > 0xDFFF) {
            return malformed(l, "half of a surrogate pair");
        }
        high = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    }
    hash_code(name, high);
    return true;
}

/* Behind "\". */
static bool check_escape(struct lint *l, struct name *name)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meant[] = "\"\\/\b\f\n\r\t";
    if (take(l, 'u')) {
        return check_code(l, name);
    }
    int c = peek(l);
    const char *letter = c <= 0 ? NULL : strchr(letters, c);
    if (letter == NULL) {
        return malformed(l, "an unknown escape");
    }
    l->at++;
    hash_byte(name, (unsigned char)meant[letter - letters]);
    return true;
}

static bool check_string(struct lint *l, struct name *ret_name)
{
    struct name name = {.hash = UINT64_C(0xCBF29CE484222325)};
    if (!take(l, '"')) {
        return malformed(l, "a string in double quotes is expected");
    }
    while (!take(l, '"')) {
        int c = peek(l);
        if (c < ' ') {
            return malformed(l, c < 0 ? "the text ends within a string"
                                      : "a control byte in a string");
        }
        l->at++;
        if (c != '\\') {
            hash_byte(&name, (unsigned char)c);
        } else if (!check_escape(l, &name)) {
            return false;
        }
    }
    *ret_name = name;
    return true;
}

/* --- objects and arrays ----------------------------------------------------------------------- */

static bool check_value(struct lint *l);

struct names {
    uint64_t hashes[JSON_MEMBERS_MAX];
    size_t n;
};

static bool check_name(struct lint *l, struct names *names)
{
    const char *from = l->at;
    struct name name;
    if (!check_string(l, &name)) {
        return false;
    }
    const char *behind = l->at;
    l->at = from; /* where a complaint points to */
    if (name.has_nul) {
        return malformed(l, "a name with a NUL in it");
    }
    for (size_t i = 0; i < names->n; i++) {
        if (names->hashes[i] == name.hash) {
            return malformed(l, "the same name twice in one object");
        }
    }
    if (names->n == JSON_MEMBERS_MAX) {
        return wrong(l, STATUS_TOO_LARGE, "an object of too many members");
    }
    names->hashes[names->n++] = name.hash;
    l->at = behind;
    return true;
}

/* Behind "{". */
static bool check_members(struct lint *l)
{
    struct names names = {.n = 0};
    pass_space(l);
    if (take(l, '}')) {
        return true;
    }
    do {
        pass_space(l);
        if (!check_name(l, &names)) {
            return false;
        }
        pass_space(l);
        if (!take(l, ':')) {
            return malformed(l, "a colon is expected behind a name");
        }
        if (!check_value(l)) {
            return false;
        }
    } while (take(l, ','));
    return take(l, '}') || malformed(l, "a comma or } is expected");
}

/* Behind "[". */
static bool check_items(struct lint *l)
{
    pass_space(l);
    if (take(l, ']')) {
        return true;
    }
    do {
        if (!check_value(l)) {
            return false;
        }
    } while (take(l, ','));
    return take(l, ']') || malformed(l, "a comma or ] is expected");
}

static bool check_container(struct lint *l, bool (*check_inside)(struct lint *))
{
    if (++l->containers > JSON_CONTAINERS_MAX) {
        return wrong(l, STATUS_TOO_LARGE, "too many objects and arrays");
    }
    if (++l->depth > JSON_DEPTH_MAX) {
        return malformed(l, "nested too deeply");
    }
    l->at++;
    bool good = check_inside(l);
    l->depth--;
    return good;
}

static bool check_scalar(struct lint *l, int first)
{
    struct name name;
    if (++l->scalars > JSON_SCALARS_MAX) {
        return wrong(l, STATUS_TOO_LARGE, "too many values");
    }
    if (first == '"') {
        return check_string(l, &name);
    }
    return first == '-' || is_digit(first) ? check_number(l) : check_word(l);
}

/* One value, with the blanks around it. */
static bool check_value(struct lint *l)
{
    pass_space(l);
    int first = peek(l);
    bool good = first == '{'   ? check_container(l, check_members)
                : first == '[' ? check_container(l, check_items)
                               : check_scalar(l, first);
    pass_space(l);
    return good;
}

static bool check_text(struct lint *l)
{
    size_t length = (size_t)(l->end - l->at);
    if (!utf8_valid(l->at, length)) {
        return malformed(l, "not UTF-8");
    }
    if (length >= 3 && memcmp(l->at, "\xEF\xBB\xBF", 3) == 0) {
        return malformed(l, "a byte order mark");
    }
    if (!check_value(l)) {
        return false;
    }
    return l->at == l->end || malformed(l, "more behind the value");
}

static struct lint begin(struct slice text)
{
    const char *start = text.length == 0 ? "" : text.data;
    return (struct lint){.start = start, .at = start, .end = start + text.length, .copied = start};
}

int json_lint(struct slice text, struct json_lint *ret)
{
    struct lint l = begin(text);
    IGNORE(check_text(&l)); /* l.status says it */
    *ret = (struct json_lint){
        .position = (size_t)(l.at - l.start),
        .reason = l.reason,
        .long_integers = l.long_integers,
    };
    return l.status;
}

void json_lint_widen(struct slice text, char *out)
{
    struct lint l = begin(text);
    l.out = out;
    REQUIRE(check_text(&l));
    memcpy(l.out, l.copied, (size_t)(l.end - l.copied));
}
