/* Replies as CSV (RFC 4180, with a header row; UTF-8), for spreadsheets and for programs.
 *
 * A reply that holds a list is a row an item, a column a field.  One that holds a bill or an
 * invoice is a row a line and a row an adjustment, told apart by the column `kind`, and behind the
 * last of them, on the last page, a row `total`: so the pages, one behind the other, are one table.
 *
 * Pure but for the heap; any thread. */
#pragma once

#include "proto/json_writer.h"

/* Append REPLY to TEXT, which starts as {0}; free TEXT->data when done.  REPLY is the result of a
 * route that has `csv`.  Returns 0 or STATUS_NO_MEMORY. */
MUSTCHECK int http_csv_write(struct json_text *text, const ProtobufCMessage *reply);
