/* Currencies and their minor units: ISO 4217, list one.  Pure; any thread. */
#pragma once

/* How many fraction digits amounts of CODE ("USD": 2) are rounded to on a bill, or -1 where no
 * such currency is in circulation.  Three capital letters. */
int currency_minor_digits(const char *code);
