#include "billingd/ledger/bill_totals.h"

#include "billingd/base/assert.h"

struct amount bill_round(struct amount exact, int minor_digits)
{
    return amount_round(exact, minor_digits);
}

static int add_money(struct bill_totals *totals, struct amount exact, int minor_digits)
{
    int rc = amount_add(&totals->exact, exact);
    return rc < 0 ? rc : amount_add(&totals->total, bill_round(exact, minor_digits));
}

int bill_totals_add_line(struct bill_totals *totals, const struct bill_line *line, int minor_digits)
{
    totals->lines++;
    totals->records += line->records;
    totals->voided += line->voided;
    totals->late += line->late;
    return add_money(totals, line->exact, minor_digits);
}

int bill_totals_add_adjustment(struct bill_totals *totals, struct decimal amount, int minor_digits)
{
    totals->adjustments++;
    return add_money(totals, amount_from_decimal(amount), minor_digits);
}

struct amount bill_rounding(struct amount exact, struct amount total)
{
    struct amount rounding = total;
    INVARIANT(amount_subtract(&rounding, exact) == 0); /* they differ by units, not by powers */
    return rounding;
}
