/* JSON objects that an import reads: whole lines, and labels in a cell of CSV.  Main thread. */
#pragma once

#include <json-c/json.h>

#include "billingctl/ctl_exit.h"
#include "billingctl/import_row.h"

/* Starts as {0}; ends with import_json_done(). */
struct import_json {
    struct json_tokener *tokener; /* owned; NULL until the first text */
    struct json_object *object;   /* owned; the last one parsed: what rows point into, or NULL */
    int members;                  /* that the text has, of the object and of those within */
};

/* Parse the LENGTH bytes at TEXT, one object.  Returns NULL, or in static text why it
 * is none; then json->object is NULL. */
MUSTCHECK const char *import_json_parse(struct import_json *json, const char *text, size_t length);

/* Whether a name was there twice: json-c keeps the last alone. */
bool import_json_has_double(const struct import_json *json);

/* The text VALUE of the member NAME; ROW is rejected where it is none. */
const char *import_json_text(struct import_row *row, const char *name, struct json_object *value);

/* Add the members of LABELS, the value of the member NAME, as labels of ROW. */
void import_json_add_labels(struct import_row *row, const char *name, struct json_object *labels);

/* The same of TEXT, a cell in the column NAME, parsed into JSON. */
void import_json_add_label_text(struct import_json *json, struct import_row *row, const char *name,
                                const char *text);

/* Free what JSON owns. */
void import_json_done(struct import_json *json);
