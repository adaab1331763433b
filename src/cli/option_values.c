/* Texts of option values -> numbers with their unit applied. */
#include "cli/options.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A finite number that is not negative, with no sign, no hex and no locale in it; *ret_unit is what follows.
 */
static enum hst_status number_parse(const char *text, double *ret_number, const char **ret_unit)
{
    if (!isdigit((unsigned char)text[0]) && !(text[0] == '.' && isdigit((unsigned char)text[1])))
        return HST_E_INVALID;
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        return HST_E_INVALID;
    char *end;
    double number = strtod(text, &end);
    if (!isfinite(number))
        return HST_E_INVALID;
    while (*end == ' ')
        end++;
    *ret_number = number;
    *ret_unit = end;
    return HST_OK;
}

struct unit {
    const char *name;
    double factor;
};

static enum hst_status with_unit(const char *text, const struct unit *units, double *ret_value)
{
    double number;
    const char *unit;
    HST_TRY(number_parse(text, &number, &unit));
    for (; units->name != NULL; units++)
        if (strcasecmp(unit, units->name) == 0) {
            *ret_value = number * units->factor;
            return HST_OK;
        }
    return HST_E_INVALID;
}

enum hst_status hst_rate_parse(const char *text, double *ret_hz)
{
    static const struct unit units[] = {{"", 1},      {"hz", 1},  {"/s", 1},    {"k", 1e3},
                                        {"khz", 1e3}, {"m", 1e6}, {"mhz", 1e6}, {NULL, 0}};
    if (strcasecmp(text, "max") == 0) {
        *ret_hz = 0;
        return HST_OK;
    }
    double hz;
    HST_TRY(with_unit(text, units, &hz));
    if (hz < 1e-3 || hz > 1e7)
        return HST_E_INVALID;
    *ret_hz = hz;
    return HST_OK;
}

enum hst_status hst_duration_parse(const char *text, uint64_t *ret_ns)
{
    static const struct unit units[] = {{"", 1e9}, {"s", 1e9},  {"sec", 1e9},  {"ms", 1e6},   {"us", 1e3},
                                        {"ns", 1}, {"m", 60e9}, {"min", 60e9}, {"h", 3600e9}, {NULL, 0}};
    double ns;
    HST_TRY(with_unit(text, units, &ns));
    if (ns < 1 || ns > 1e18)
        return HST_E_INVALID;
    *ret_ns = (uint64_t)ns;
    return HST_OK;
}

enum hst_status hst_percent_parse(const char *text, double *ret_percent)
{
    static const struct unit units[] = {{"", 1}, {"%", 1}, {NULL, 0}};
    double percent;
    HST_TRY(with_unit(text, units, &percent));
    if (percent <= 0 || percent > 100)
        return HST_E_INVALID;
    *ret_percent = percent;
    return HST_OK;
}

enum hst_status hst_count_parse(const char *text, uint64_t *ret_count)
{
    if (!isdigit((unsigned char)text[0]))
        return HST_E_INVALID;
    char *end;
    errno = 0;
    unsigned long long count = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0')
        return HST_E_INVALID;
    *ret_count = count;
    return HST_OK;
}
