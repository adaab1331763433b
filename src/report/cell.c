/* Formats cells. */
#include "report/cell.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

struct hst_cell hst_cell_duration(uint64_t ns)
{
    struct hst_cell cell;
    double s = (double)ns / 1e9;
    char *text = cell.text;
    size_t size = sizeof cell.text;
    if (ns == 0)
        (void)snprintf(text, size, "0 s");
    else if (s < 999.5e-6)
        (void)snprintf(text, size, "%.0f us", s * 1e6);
    else if (s < 0.00995)
        (void)snprintf(text, size, "%.1f ms", s * 1e3);
    else if (s < 0.9995)
        (void)snprintf(text, size, "%.0f ms", s * 1e3);
    else if (s < 9.995)
        (void)snprintf(text, size, "%.2f s", s);
    else if (s < 119.95)
        (void)snprintf(text, size, "%.1f s", s);
    else if (s < 7200)
        (void)snprintf(text, size, "%d min %02d s", (int)(s / 60), (int)fmod(s, 60));
    else
        (void)snprintf(text, size, "%.0f h %02d min", floor(s / 3600), (int)(fmod(s, 3600) / 60));
    return cell;
}

struct hst_cell hst_cell_each(uint64_t ns, uint64_t count)
{
    struct hst_cell cell;
    double each = count > 0 ? (double)ns / (double)count : 0;
    if (each >= 1e6)
        return hst_cell_duration((uint64_t)each);
    if (each >= 999.5)
        (void)snprintf(cell.text, sizeof cell.text, each < 9950 ? "%.1f us" : "%.0f us", each / 1e3);
    else
        (void)snprintf(cell.text, sizeof cell.text, "%.0f ns", each);
    return cell;
}

struct hst_cell hst_cell_bytes(uint64_t bytes)
{
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB"};
    struct hst_cell cell;
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 999.5 && unit + 1 < HST_ARRAY_LENGTH(units); unit++)
        value /= 1000;
    int digits = unit == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    (void)snprintf(cell.text, sizeof cell.text, "%.*f %s", digits, value, units[unit]);
    return cell;
}

struct hst_cell hst_cell_count(uint64_t count)
{
    struct hst_cell cell;
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    char *at = cell.text;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            *at++ = ',';
        *at++ = digits[i];
    }
    *at = '\0';
    return cell;
}

struct hst_cell hst_cell_percent(double share)
{
    struct hst_cell cell;
    (void)snprintf(cell.text, sizeof cell.text, "%5.1f %%", share * 100);
    return cell;
}

struct hst_cell hst_cell_margin(const struct hst_share *share)
{
    struct hst_cell cell;
    double points = 100 * (share->interval.high - share->interval.low) / 2;
    (void)snprintf(cell.text, sizeof cell.text, points < 9.95 ? "%.1f" : "%.0f", points);
    return cell;
}

static void speedup_print(char *text, size_t size, double speedup)
{
    if (speedup >= HST_SPEEDUP_MAX)
        (void)snprintf(text, size, ">999");
    else
        (void)snprintf(text, size, speedup < 9.995 ? "%.2f" : speedup < 99.95 ? "%.1f" : "%.0f", speedup);
}

struct hst_cell hst_cell_gain(const struct hst_gain *gain, int only_most, const struct hst_style *style)
{
    struct hst_cell cell;
    char low[16], high[16];
    speedup_print(low, sizeof low, gain->interval.low);
    speedup_print(high, sizeof high, gain->interval.high);
    if (only_most)
        (void)snprintf(cell.text, sizeof cell.text, "%s%sx", style->utf8 ? "≤" : "<=", high);
    else if (strcmp(low, high) == 0)
        (void)snprintf(cell.text, sizeof cell.text, "%sx", low);
    else
        (void)snprintf(cell.text, sizeof cell.text, "%s%s%sx", low, style->utf8 ? "–" : "-", high);
    return cell;
}

struct hst_cell hst_cell_rate(double hz)
{
    struct hst_cell cell;
    if (hz <= 0)
        (void)snprintf(cell.text, sizeof cell.text, "full speed");
    else if (hz >= 1e6)
        (void)snprintf(cell.text, sizeof cell.text, "%.3g MHz", hz / 1e6);
    else if (hz >= 1000)
        (void)snprintf(cell.text, sizeof cell.text, "%.3g kHz", hz / 1e3);
    else
        (void)snprintf(cell.text, sizeof cell.text, "%.3g Hz", hz);
    return cell;
}

struct hst_cell hst_cell_bar(double share, int width, const struct hst_style *style)
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    struct hst_cell cell;
    char *at = cell.text;
    int units = (int)lround(fmin(fmax(share, 0), 1) * width * 8), used = 0;
    if (!style->utf8)
        units = (units + 4) / 8 * 8;
    for (; units >= 8; units -= 8, used++)
        at = stpcpy(at, style->utf8 ? "█" : "#");
    if (units > 0) {
        at = stpcpy(at, eighths[units]);
        used++;
    }
    for (; used < width; used++)
        *at++ = ' ';
    *at = '\0';
    return cell;
}

/* Bytes of the UTF-8 sequence that begins at text, or 0 when that is none. */
static size_t sequence_bytes(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t length = at[0] < 0x80   ? 1
                    : at[0] < 0xc2 ? 0
                    : at[0] < 0xe0 ? 2
                    : at[0] < 0xf0 ? 3
                    : at[0] < 0xf5 ? 4
                                   : 0;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

/* The next column: a whole sequence, or one byte that is none. */
static const char *next_column(const char *at)
{
    size_t length = sequence_bytes(at);
    return at + (length > 0 ? length : 1);
}

size_t hst_text_width(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text = next_column(text))
        width++;
    return width;
}

/* What a terminal may take for a command: control characters, low and high, and bytes that spell nothing. */
static int is_unsafe(const char *at)
{
    unsigned char c = (unsigned char)at[0];
    return c < 0x20 || c == 0x7f || sequence_bytes(at) == 0 || (c == 0xc2 && (unsigned char)at[1] < 0xa0);
}

static void add_clean(struct hst_buffer *buffer, const char *at, size_t columns)
{
    for (; *at != '\0' && columns > 0; at = next_column(at), columns--)
        if (is_unsafe(at))
            hst_buffer_add_byte(buffer, *at == '\t' ? ' ' : '?');
        else
            hst_buffer_add(buffer, at, sequence_bytes(at));
}

void hst_text_add(struct hst_buffer *buffer, const char *text, size_t width, enum hst_text_cut cut, int pad,
                  const struct hst_style *style)
{
    const char *mark = style->utf8 ? "…" : "~";
    size_t columns = hst_text_width(text);
    if (columns <= width) {
        add_clean(buffer, text, width);
        if (pad)
            hst_buffer_add_fmt(buffer, "%*s", (int)(width - columns), "");
    } else if (width > 0 && cut == HST_CUT_END) {
        add_clean(buffer, text, width - 1);
        hst_buffer_add_text(buffer, mark);
    } else if (width > 0) {
        for (size_t skip = columns - width + 1; skip > 0; skip--)
            text = next_column(text);
        hst_buffer_add_text(buffer, mark);
        add_clean(buffer, text, width);
    }
}

struct hst_cell hst_cell_file(const char *file, const char *directory)
{
    struct hst_cell cell;
    size_t length = strlen(directory);
    const char *shown = file;
    if (length > 1 && strncmp(file, directory, length) == 0 && file[length] == '/') {
        shown = file + length + 1;
    } else if (file[0] == '/') {
        int slashes = 0;
        for (const char *at = file + strlen(file); at > file && slashes < 2; at--)
            if (at[-1] == '/') {
                slashes++;
                shown = at;
            }
    }
    /* The end of a path says more than its beginning. */
    size_t size = strlen(shown);
    if (size >= sizeof cell.text)
        shown += size - sizeof cell.text + 1;
    (void)snprintf(cell.text, sizeof cell.text, "%s", shown);
    return cell;
}

struct hst_cell hst_cell_name(const char *qualname)
{
    static const char locals[] = "<locals>.";
    struct hst_cell cell;
    size_t length = 0;
    while (*qualname != '\0' && length + 1 < sizeof cell.text) {
        if (strncmp(qualname, locals, sizeof locals - 1) == 0)
            qualname += sizeof locals - 1;
        else
            cell.text[length++] = *qualname++;
    }
    cell.text[length] = '\0';
    return cell;
}

struct hst_cell hst_cell_function(const struct hst_profile *profile, uint32_t function)
{
    const struct hst_function *row = &profile->functions[function];
    const char *name = hst_profile_text(profile, row->qualname);
    return hst_cell_name(name[0] != '\0' ? name : hst_profile_text(profile, row->name));
}

struct hst_cell hst_cell_word(const char *text)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+:@%,=";
    struct hst_cell cell;
    size_t length = 0;
    int plain = text[0] != '\0' && text[strspn(text, safe)] == '\0';
    (void)snprintf(cell.text, sizeof cell.text, "%s", text);
    if (plain)
        return cell;
    struct hst_cell quoted = {"'"};
    for (length = 1; *text != '\0' && length + 6 < sizeof quoted.text; text++) {
        if (*text == '\'')
            length = (size_t)(stpcpy(quoted.text + length, "'\\''") - quoted.text);
        else
            quoted.text[length++] = *text;
    }
    quoted.text[length++] = '\'';
    quoted.text[length] = '\0';
    return *text == '\0' ? quoted : cell;
}
