/* What all writes have in common. */
#include "tests/model/write.h"

#include <stdlib.h>
#include <string.h>

#include "proto/field_kind.h"
#include "proto/limits.h"
#include "proto/timestamp.h"

/* --- fields ----------------------------------------------------------------------------------- */

void write_check_text(struct write *write, const char *field, bool required, size_t bytes_max)
{
    const ProtobufCBinaryData *text = message_bytes(write->payload, field);
    if (text == NULL && required) {
        refusal_add(write->refusal, field, STATUS_MISSING_FIELD);
    }
    bool printable = true;
    for (size_t i = 0; text != NULL && i < text->len; i++) {
        printable = printable && text->data[i] >= ' ' && text->data[i] != 0x7f;
    }
    if (text != NULL && (text->len < 1 || text->len > bytes_max || !printable)) {
        refusal_add(write->refusal, field, STATUS_OUT_OF_BOUNDS);
    }
}

/* VALUE is initialised. */
void write_check_number(struct write *write, const char *field, bool may_be_negative, mpz_t value)
{
    const ProtobufCBinaryData *text = message_bytes(write->payload, field);
    if (text == NULL) {
        refusal_add(write->refusal, field, STATUS_MISSING_FIELD);
        return;
    }
    switch (oracle_parse((const char *)text->data, text->len, value)) {
    case ORACLE_FITS:
        if (mpz_sgn(value) < 0 && !may_be_negative) {
            refusal_add(write->refusal, field, STATUS_OUT_OF_BOUNDS);
        }
        break;
    case ORACLE_NOT_A_NUMBER:
        refusal_add(write->refusal, field, STATUS_WRONG_TYPE);
        break;
    case ORACLE_TOO_MANY_DIGITS:
    case ORACLE_TOO_MANY_FRACTION:
    case ORACLE_TOO_MANY_WHOLE:
        refusal_add(write->refusal, field, STATUS_OUT_OF_BOUNDS);
        break;
    }
}

void write_check_time(struct write *write, const char *field, bool given, int64_t time)
{
    if (given && (time < 0 || time > TIMESTAMP_MAX)) {
        refusal_add(write->refusal, field, STATUS_TIME_OUT_OF_RANGE);
    }
}

void write_check_request_id(struct write *write)
{
    const ProtobufCBinaryData *id = message_bytes(write->payload, "request_id");
    unsigned before = write->refusal->n_wrong;
    write_check_text(write, "request_id", false, LIMIT_REQUEST_ID_BYTES);
    for (size_t i = 0; id != NULL && i < id->len && write->refusal->n_wrong == before; i++) {
        if (id->data[i] >= 0x80) { /* it is a text, but no ASCII */
            refusal_add(write->refusal, "request_id", STATUS_OUT_OF_BOUNDS);
        }
    }
}

/* --- request ids ------------------------------------------------------------------------------ */

static int compare_labels(const void *a, const void *b)
{
    const ProtobufCBinaryData *name_a = &(*(Billing__V1__Label *const *)a)->name;
    const ProtobufCBinaryData *name_b = &(*(Billing__V1__Label *const *)b)->name;
    size_t shorter = name_a->len < name_b->len ? name_a->len : name_b->len;
    int order = shorter == 0 ? 0 : memcmp(name_a->data, name_b->data, shorter);
    return order != 0 ? order : (name_a->len > name_b->len) - (name_a->len < name_b->len);
}

void write_sort_labels(Billing__V1__Label **labels, size_t n)
{
    if (n > 0 && labels != NULL) {
        qsort(labels, n, sizeof *labels, compare_labels);
    }
}

/* The number in TEXT, which is one, in the one form. */
static ProtobufCBinaryData plain_number(struct memory *memory, ProtobufCBinaryData text)
{
    char plain[ORACLE_TEXT_MAX];
    mpz_t value;
    mpz_init(value);
    if (oracle_parse((const char *)text.data, text.len, value) != ORACLE_FITS) {
        testkit_fail("no number, and yet looked at");
    }
    oracle_print(value, plain);
    mpz_clear(value);
    return raw_bytes(memory_format(memory, "%s", plain));
}

/* PAYLOAD with each thing that can be said in several ways said in one. */
static void *plain_payload(struct memory *memory, const void *payload)
{
    ProtobufCMessage *plain = message_copy(memory, payload);
    for (unsigned i = 0; i < plain->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &plain->descriptor->fields[i];
        if (field_kind(field) == FIELD_DECIMAL && field_is_set(plain, field)) {
            ProtobufCBinaryData *text = (void *)((char *)plain + field->offset);
            *text = plain_number(memory, *text);
        }
    }
    if (plain->descriptor == &billing__v1__usage_input__descriptor) {
        Billing__V1__UsageInput *usage = (void *)plain;
        write_sort_labels(usage->labels, usage->n_labels);
    }
    return plain;
}

/* The fields in which the payload differs from what was recorded under its request id. */
static void add_differences(struct write *write)
{
    static const char *const fields[] = {
        "customer_name",  "external_id", "service", "units_consumed",
        "price_per_unit", "occurred_at", "labels",  "usage_id",
        "reason",         "amount",      "start",   "end",
    };
    if (strcmp(write->method, write->made->method) != 0) {
        refusal_add(write->refusal, "method", STATUS_REQUEST_ID_REUSED);
        return;
    }
    const void *first = plain_payload(write->model->step, write->made->payload);
    const void *asked = plain_payload(write->model->step, write->payload);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (!message_same_field(write->model->step, first, asked, fields[i])) {
            refusal_add(write->refusal, fields[i], STATUS_REQUEST_ID_REUSED);
        }
    }
}

/* Find what was made under the request id, and refuse another payload under it. */
static void look_up(struct write *write)
{
    struct model *model = write->model;
    for (size_t i = 0; write->request_id != NULL && i < model->n_made; i++) {
        if (model->made[i]->scope == write->scope &&
            strcmp(model->made[i]->request_id, write->request_id) == 0) {
            write->made = model->made[i];
            add_differences(write);
        }
    }
    if (write->refusal->n_wrong > 0) {
        write->refusal->status = STATUS_REQUEST_ID_REUSED;
        write->refusal->existing = write->made->id;
    }
}

/* --- all writes ------------------------------------------------------------------------------- */

/* Once the fields are looked at: find the customer, and what was made before, which is the answer
 * then.  Returns whether there is something new to do. */
bool write_begin(struct write *write)
{
    const ProtobufCBinaryData *ref = message_bytes(write->payload, "customer_id");
    if (write->refusal->n_wrong > 0) {
        return false;
    }
    if (ref != NULL) {
        write->scope = model_customer(write->model, message_text(write->model->step, *ref));
        if (write->scope == NULL) {
            write->refusal->status = STATUS_CUSTOMER_NOT_FOUND;
            return false;
        }
    }
    look_up(write);
    if (write->refusal->status == 0 && write->made != NULL) {
        uint64_t call_id = write->answer->call_id;
        *write->answer = *write->made->answer;
        PUT(write->answer, call_id, call_id);
        PUT(write->answer, replayed, true);
    }
    return write->refusal->status == 0 && write->made == NULL;
}

/* The customer that it is about. */
struct customer *write_owner(const struct write *write)
{
    if (write->scope == NULL) {
        testkit_fail("%s is about nobody", write->method == NULL ? "it" : write->method);
    }
    return write->scope;
}

bool write_refuse(struct write *write, const char *field, int status)
{
    refusal_add(write->refusal, field, status);
    write->refusal->status = status;
    return false;
}

/* A text of the model's own. */
const char *write_keep(struct write *write, const char *text)
{
    return text == NULL ? NULL : memory_format(write->model->memory, "%s", text);
}

/* The text NAME of the object that was answered. */
const char *write_learn(struct write *write, const char *name)
{
    const void *object = message_below(message_below(write->got));
    const ProtobufCBinaryData *text = object == NULL ? NULL : message_bytes(object, name);
    return text == NULL ? "(none)" : message_text(write->model->memory, *text);
}

/* The request id that the new thing is made under: the caller's, or one of the daemon's making. */
const char *write_request_id(struct write *write)
{
    if (write->request_id != NULL) {
        return write_keep(write, write->request_id);
    }
    return write->got->has_request_id ? message_text(write->model->memory, write->got->request_id)
                                      : "(none)";
}

/* Remember what was made, and that ANSWER is what to say of it; fills in the rest of that. */
void write_end(struct write *write, struct customer *customer, const char *id,
               const char *request_id)
{
    struct model *model = write->model;
    Billing__V1__Response *answer = write->answer;
    struct made *made = memory_alloc(model->memory, sizeof *made);
    PUT_TEXT(answer, request_id, request_id);
    PUT(answer, replayed, false);
    *made = (struct made){
        .scope = write->scope,
        .customer = customer,
        .request_id = request_id,
        .method = write->method,
        .id = id,
        .created_at = model->now,
        .payload = message_copy(model->memory, write->payload),
        .answer = message_copy(model->memory, answer),
    };
    MEMORY_PUSH(model->memory, model->made, model->n_made, made);
    if (model->maybe_recorded) {
        answer->replayed = write->got->replayed;
    }
}
