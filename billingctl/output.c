#include "billingctl/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "billingctl/say.h"

/* Why the first write that failed did; 0: none. */
static int write_error;

void output_bytes(const char *bytes, size_t length)
{
    if (write_error == 0 && length > 0 && fwrite(bytes, 1, length, stdout) != length) {
        write_error = errno != 0 ? errno : EIO;
    }
}

void output_text(const char *text)
{
    output_bytes(text, strlen(text));
}

bool output_flush(void)
{
    if (fflush(stdout) != 0 && write_error == 0) {
        write_error = errno;
    }
    return write_error == 0;
}

int output_finish(int code)
{
    bool flushed = output_flush();
    /* Also what only closing finds out: a full quota, a server that is gone. */
    if (fclose(stdout) != 0 && flushed) {
        write_error = errno;
    }
    if (write_error == 0) {
        return code;
    }
    say("cannot write the result: %s", strerror(write_error));
    return code == CTL_DONE ? CTL_REFUSED : code;
}

void output_json(const billing_object *object)
{
    char *json;
    size_t length;
    int status = billing_object_json(object, &json, &length);
    if (status == 0) {
        output_bytes(json, length);
        billing_text_free(json);
    } else if (write_error == 0) {
        write_error = ENOMEM;
    }
}

/* --- members as JSON -------------------------------------------------------------------------- */

static void print_json_list(const billing_object *object, const char *name)
{
    const billing_object *item;
    output_text("[");
    for (size_t i = 0; (item = billing_object_item(object, name, i)) != NULL; i++) {
        output_text(i > 0 ? ", " : "");
        output_json(item);
    }
    output_text("]");
}

static void put_json_texts(const billing_object *object, const char *name, struct text *ret)
{
    const char *item;
    text_puts(ret, "[");
    for (size_t i = 0; (item = billing_object_text_item(object, name, i)) != NULL; i++) {
        text_puts(ret, i > 0 ? ", " : "");
        text_put_json(ret, item);
    }
    text_puts(ret, "]");
}

static void print_json_texts(const billing_object *object, const char *name)
{
    struct text list = {0};
    put_json_texts(object, name, &list);
    output_bytes(list.data, list.length);
    text_done(&list);
}

static void print_json_text(const char *value)
{
    struct text quoted = {0};
    text_put_json(&quoted, value);
    output_bytes(quoted.data, quoted.length);
    text_done(&quoted);
}

static bool is_set(const billing_object *object, const char *name)
{
    billing_field_kind kind = billing_object_kind(object, name);
    return kind == BILLING_FIELD_LIST || kind == BILLING_FIELD_TEXTS ||
           billing_object_child(object, name) != NULL || billing_object_text(object, name) != NULL;
}

bool output_json_member(const char *separator, const billing_object *object, const char *name)
{
    if (!is_set(object, name)) {
        return false;
    }
    output_text(separator);
    print_json_text(name);
    output_text(": ");
    switch (billing_object_kind(object, name)) {
    case BILLING_FIELD_TEXT:
    case BILLING_FIELD_TIME:
        print_json_text(output_value(object, name));
        break;
    case BILLING_FIELD_NUMBER:
    case BILLING_FIELD_FLAG:
        output_text(output_value(object, name));
        break;
    case BILLING_FIELD_OBJECT:
        output_json(billing_object_child(object, name));
        break;
    case BILLING_FIELD_LIST:
        print_json_list(object, name);
        break;
    case BILLING_FIELD_TEXTS:
        print_json_texts(object, name);
        break;
    case BILLING_FIELD_NONE: /* is never set */
        break;
    }
    return true;
}

/* --- cells ------------------------------------------------------------------------------------ */

static void put_labels(const billing_object *object, const char *name, struct text *ret)
{
    const billing_object *label;
    text_puts(ret, "{");
    for (size_t i = 0; (label = billing_object_item(object, name, i)) != NULL; i++) {
        text_puts(ret, i > 0 ? ", " : "");
        text_put_json(ret, billing_object_text(label, "name"));
        text_puts(ret, ": ");
        text_put_json(ret, billing_object_text(label, "value"));
    }
    text_puts(ret, "}");
}

const char *output_value(const billing_object *object, const char *path)
{
    const char *text = billing_object_text(object, path);
    return text == NULL ? "" : text;
}

void output_cell(const billing_object *object, const char *name, struct text *ret)
{
    if (billing_object_kind(object, name) == BILLING_FIELD_LIST) {
        put_labels(object, name, ret);
        return;
    }
    if (billing_object_count(object, name) > 0) { /* texts; none of them is an empty cell */
        put_json_texts(object, name, ret);
        return;
    }
    text_puts(ret, output_value(object, name));
}

void output_id(const billing_object *object)
{
    static const char *const names[] = {"id", "number", "name"};
    size_t i = 0;
    while (i < 2 && billing_object_text(object, names[i]) == NULL) {
        i++;
    }
    output_text(output_value(object, names[i]));
    output_text("\n");
}

void output_csv_field(struct text *row, size_t index, const char *field)
{
    text_puts(row, index > 0 ? "," : "");
    text_put_csv(row, field);
}

/* A line feed alone, not RFC 4180's two bytes: the other tools of a pipeline would take the first
 * of them for a part of the last field. */
void output_csv_end(struct text *row)
{
    text_puts(row, "\n");
    output_bytes(row->data, row->length);
    text_done(row);
}

/* --- one object ------------------------------------------------------------------------------- */

static void print_pair(const char *name, const char *prefix, const char *value, size_t width)
{
    struct text line = {0};
    text_puts(&line, prefix);
    text_put_visible(&line, name);
    size_t columns = text_columns(text_of(&line));
    text_pad(&line, (columns < width ? width - columns : 0) + 2);
    text_put_visible(&line, value);
    text_puts(&line, "\n");
    output_bytes(line.data, line.length);
    text_done(&line);
}

static void print_texts(const billing_object *object, const char *name, size_t width)
{
    struct text list = {0};
    put_json_texts(object, name, &list);
    print_pair(name, "", text_of(&list), width);
    text_done(&list);
}

static void print_pairs(const billing_object *object)
{
    static const char label_prefix[] = "label.";
    const billing_object *label;
    const char *name;
    size_t width = 0;
    for (size_t i = 0; (name = billing_object_field_name(object, i)) != NULL; i++) {
        width = strlen(name) > width ? strlen(name) : width;
    }
    for (size_t i = 0; (name = billing_object_field_name(object, i)) != NULL; i++) {
        const char *value = billing_object_text(object, name);
        if (value != NULL) {
            print_pair(name, "", value, width);
        }
        if (billing_object_text_item(object, name, 0) != NULL) {
            print_texts(object, name, width);
        }
        for (size_t j = 0; (label = billing_object_item(object, name, j)) != NULL; j++) {
            print_pair(billing_object_text(label, "name"), label_prefix,
                       billing_object_text(label, "value"), width);
        }
    }
}

static void print_object_csv(const billing_object *object)
{
    struct text header = {0};
    struct text row = {0};
    struct text cell = {0};
    const char *name;
    for (size_t i = 0; (name = billing_object_field_name(object, i)) != NULL; i++) {
        output_csv_field(&header, i, name);
        text_clear(&cell);
        output_cell(object, name, &cell);
        output_csv_field(&row, i, text_of(&cell));
    }
    output_csv_end(&header);
    output_csv_end(&row);
    text_done(&cell);
}

void output_object(enum output_format format, const billing_object *reply, const char *member)
{
    const billing_object *object = member == NULL ? reply : billing_object_child(reply, member);
    switch (format) {
    case OUTPUT_TABLE:
        print_pairs(object);
        break;
    case OUTPUT_JSON:
        output_json(reply);
        output_text("\n");
        break;
    case OUTPUT_CSV:
        print_object_csv(object);
        break;
    case OUTPUT_ID:
        output_id(object);
        break;
    }
}
