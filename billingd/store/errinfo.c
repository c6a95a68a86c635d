#include "billingd/store/errinfo.h"

#include <stdarg.h>
#include <stdio.h>

int errinfo_set(struct errinfo *reason, int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    IGNORE(vsnprintf(reason->message, sizeof reason->message, format, arguments) < 0); /* as cut */
    va_end(arguments);
    return status;
}
