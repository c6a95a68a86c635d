/* libbilling: how its functions are declared.  Included by the other headers. */
#ifndef BILLING_API_H
#define BILLING_API_H

#if defined(__GNUC__)
#define BILLING_API __attribute__((visibility("default")))
#else
#define BILLING_API
#endif

#endif
