#include "billingd/ledger/currency.h"

#include <stddef.h>
#include <string.h>

/* ISO 4217 list one by minor unit; without funds, metals and test codes, which nobody is billed
 * in.  Codes are four bytes apart. */
static const struct {
    int minor_digits;
    const char *codes;
} table[] = {
    {0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"},
    {3, "BHD IQD JOD KWD LYD OMR TND"},
    {2, "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD "
        "CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD "
        "GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL "
        "MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN "
        "PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP "
        "SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"},
};

int currency_minor_digits(const char *code)
{
    if (strlen(code) != 3) {
        return -1;
    }
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        for (const char *at = table[i].codes; at != NULL; at = strchr(at, ' ')) {
            at += *at == ' ';
            if (memcmp(at, code, 3) == 0) {
                return table[i].minor_digits;
            }
        }
    }
    return -1;
}
