#include "billingd/commit/op.h"

void op_list_push(struct op_list *list, struct op *op)
{
    op->next = NULL;
    if (list->last == NULL) {
        list->first = op;
    } else {
        list->last->next = op;
    }
    list->last = op;
    list->count++;
    list->bytes += op->bytes;
}

struct op *op_list_pop(struct op_list *list)
{
    struct op *op = list->first;
    if (op != NULL) {
        list->first = op->next;
        list->last = list->first == NULL ? NULL : list->last;
        list->count--;
        list->bytes -= op->bytes;
        op->next = NULL;
    }
    return op;
}

void op_list_append(struct op_list *to, struct op_list *from)
{
    if (from->first == NULL) {
        return;
    }
    if (to->last == NULL) {
        to->first = from->first;
    } else {
        to->last->next = from->first;
    }
    to->last = from->last;
    to->count += from->count;
    to->bytes += from->bytes;
    *from = (struct op_list){0};
}
