/* Results on standard output, in the four forms: a table for people, JSON as the REST call answers
 * it, CSV, and ids alone.  Main thread.
 *
 * Writing fails silently here and stays failed: output_finish() says so at the end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <billing/billing.h>

#include "billingctl/ctl_exit.h"
#include "billingctl/text.h"

enum output_format { /* in the order of the words of --output */
                     OUTPUT_TABLE,
                     OUTPUT_JSON,
                     OUTPUT_CSV,
                     OUTPUT_ID,
};

/* Print LENGTH bytes, or a text. */
void output_bytes(const char *bytes, size_t length);
void output_text(const char *text);

/* Print the JSON text of OBJECT, without a newline. */
void output_json(const billing_object *object);

/* Print MEMBER of REPLY, an object; NULL: REPLY itself.  As JSON that is all of REPLY. */
void output_object(enum output_format format, const billing_object *reply, const char *member);

/* Print member NAME of OBJECT as it stands in a JSON object, with SEPARATOR in front, where it is
 * set.  Returns whether it is. */
bool output_json_member(const char *separator, const billing_object *object, const char *name);

/* Print what OBJECT is named by, its id, number or name, and a newline. */
void output_id(const billing_object *object);

/* The text of the member at PATH, or "" where it is not set.  Valid as OBJECT. */
const char *output_value(const billing_object *object, const char *path);

/* Append what the member NAME of OBJECT is as a cell: its text, "" where it is not set, labels as
 * a JSON object, and texts, where there are any, as a JSON array. */
void output_cell(const billing_object *object, const char *name, struct text *ret);

/* Append FIELD to ROW, of CSV, as field INDEX. */
void output_csv_field(struct text *row, size_t index, const char *field);

/* Print ROW, of CSV, with an end of line, and free it. */
void output_csv_end(struct text *row);

/* Write out what is still held back.  Returns whether everything so far was written. */
bool output_flush(void);

/* The same at the very end.  Returns CODE, or, where anything could not be written, says so and
 * returns CTL_REFUSED in place of CTL_DONE. */
int output_finish(int code);
