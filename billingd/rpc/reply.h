/* Messages out of records: what answers are made of.  Loop thread; everything is copied into, or
 * lies in, the request's arena. */
#pragma once

#include "billingd/base/sha256.h"
#include "billingd/ledger/bill.h"
#include "billingd/ledger/customer.h"
#include "billingd/rpc/object_id.h"
#include "billingd/rpc/request.h"

/* Set a field to a copy of TEXT. */
void reply_text(struct request *request, protobuf_c_boolean *has, ProtobufCBinaryData *field,
                struct slice text);

/* Set a field to formatted text. */
__attribute__((format(printf, 4, 5))) void reply_printf(struct request *request,
                                                        protobuf_c_boolean *has,
                                                        ProtobufCBinaryData *field,
                                                        const char *format, ...);

/* Set a field to the id of what record SEQ made. */
void reply_id(struct request *request, protobuf_c_boolean *has, ProtobufCBinaryData *field,
              enum object_kind kind, uint64_t seq);

/* Set a field to the canonical text of VALUE. */
void reply_decimal(struct request *request, protobuf_c_boolean *has, ProtobufCBinaryData *field,
                   struct decimal value);

/* Likewise. */
void reply_amount(struct request *request, protobuf_c_boolean *has, ProtobufCBinaryData *field,
                  struct amount value);

/* Set a time field. */
void reply_time(protobuf_c_boolean *has, int64_t *field, int64_t time_us);

/* Set a field to DIGEST in hexadecimal. */
void reply_digest(struct request *request, protobuf_c_boolean *has, ProtobufCBinaryData *field,
                  const uint8_t digest[SHA256_BYTES]);

/* Set a field to COUNT. */
void reply_count(protobuf_c_boolean *has, uint64_t *field, uint64_t count);

/* Note in the answer under which request id a write was recorded, and whether before. */
void reply_request_id(struct request *request, struct slice request_id, bool replayed);

/* CUSTOMER as a message. */
Billing__V1__Customer *reply_customer(struct request *request,
                                      const struct store_customer *customer);

/* RECORD, a usage, as a message. */
Billing__V1__Usage *reply_usage(struct request *request, const struct record *record);
