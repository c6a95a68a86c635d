/* Fields of request messages, checked: what is missing, malformed or beyond its bound is noted in
 * request->errors by name, value and bound, so that one answer names every wrong field at once.
 *
 * Each function looks at one field of ITEM (-1: of the request itself) and leaves its result alone
 * where the field is absent or wrong.  Loop thread. */
#pragma once

#include "billingd/ledger/customer.h"
#include "billingd/ledger/period.h"
#include "billingd/rpc/request.h"

/* What a field of a message holds, and what is allowed in it. */
struct text_field {
    const char *name;
    protobuf_c_boolean has;
    ProtobufCBinaryData data;
    size_t bytes_max;
    bool required;
};

/* Text for people: 1 to bytes_max bytes of UTF-8 without control characters. */
void field_text(struct request *request, int item, const struct text_field *field,
                struct slice *ret);

/* A request id: 1 to bytes_max bytes of printable ASCII. */
void field_request_id(struct request *request, int item, const struct text_field *field,
                      struct slice *ret);

/* As field_request_id() for a call that records one thing: where none is given one is made,
 * unless the deployment requires them. */
void field_request_id_or_new(struct request *request, protobuf_c_boolean has,
                             ProtobufCBinaryData data, struct slice *ret);

/* Note, with STATUS_FORBIDDEN, that the caller may write of some services alone, where SERVICE
 * (empty: none is named) is none of them. */
void field_service_allowed(struct request *request, int item, struct slice service);

/* A decimal of at least 0; required. */
void field_decimal(struct request *request, int item, const char *name, protobuf_c_boolean has,
                   ProtobufCBinaryData data, struct decimal *ret);

/* A decimal of either sign; required. */
void field_signed_decimal(struct request *request, int item, const char *name,
                          protobuf_c_boolean has, ProtobufCBinaryData data, struct decimal *ret);

/* Note that the request's field NAME is missing, unless HAS says that it is there. */
void field_require(struct request *request, const char *name, bool has);

/* A time from 1970 to 9999. */
void field_time(struct request *request, int item, const char *name, protobuf_c_boolean has,
                int64_t value, int64_t *ret);

/* A half-open range, the fields `start` and `end`; what is left out leaves its side of *RET
 * alone. */
void field_range(struct request *request, protobuf_c_boolean has_start, int64_t start,
                 protobuf_c_boolean has_end, int64_t end, struct period *ret);

/* The same where both or neither are to be given.  Returns whether a period was given. */
bool field_period(struct request *request, protobuf_c_boolean has_start, int64_t start,
                  protobuf_c_boolean has_end, int64_t end, struct period *ret);

/* The field `by`: STORE_BY_OCCURRED where it is not given. */
void field_clock(struct request *request, protobuf_c_boolean has, Billing__V1__Clock value,
                 enum store_clock *ret);

/* A page's size: 1 to LIMIT_PAGE_MAX; FALLBACK where it is not given. */
void field_limit(struct request *request, protobuf_c_boolean has, uint32_t value, unsigned fallback,
                 unsigned *ret);

/* The number of an invoice; required.  0 is nobody's. */
void field_invoice_number(struct request *request, protobuf_c_boolean has, uint64_t value,
                          uint64_t *ret);

/* A customer: an id, or "external:" and an external id; required.  What can be nobody's is not
 * wrong but names nobody. */
void field_customer(struct request *request, int item, protobuf_c_boolean has,
                    ProtobufCBinaryData data, struct customer_ref *ret);

/* The sequence number in `usage_id`; required.  What can be no usage record's id is not wrong but
 * names none: 0. */
void field_usage(struct request *request, protobuf_c_boolean has, ProtobufCBinaryData data,
                 uint64_t *ret);

/* Up to LIMIT_LABELS labels, encoded as records keep them. */
void field_labels(struct request *request, int item, Billing__V1__Label *const *labels, size_t n,
                  struct slice *ret);

/* Note fields that this daemon does not know: dropping one in silence could change a charge. */
void field_refuse_unknown(struct request *request, int item, const ProtobufCMessage *message);
