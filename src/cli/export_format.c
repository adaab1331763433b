/* A format by its name or the file's ending; what stands in the way of an export is said before the program
 * has run for nothing. */
#include "cli/export_format.h"

#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/nearest.h"
#include "cli/options.h"
#include "export/output.h"
#include "store/store.h"

#define HINT_BYTES_MAX 1024

static void add_formats(struct hst_buffer *hint, unsigned content)
{
    const char *separator = "";
    for (size_t i = 0; i < hst_exporter_count; i++) {
        if ((hst_exporters[i].takes & content) == 0)
            continue;
        hst_buffer_add_fmt(hint, "%s%s", separator, hst_exporters[i].name);
        separator = ", ";
    }
    hst_buffer_add_byte(hint, '\0');
}

static const char *text_of(const struct hst_buffer *hint)
{
    return hst_buffer_status(hint) == HST_OK ? (const char *)hint->data : NULL;
}

static int unknown_format(struct hst_cli *cli, const struct hst_export_wish *wish)
{
    HST_CLEANUP(hst_buffer_release) struct hst_buffer hint;
    struct hst_nearest nearest = {.wanted = wish->format};
    hst_buffer_init(&hint, HINT_BYTES_MAX);
    for (size_t i = 0; i < hst_exporter_count; i++)
        if ((hst_exporters[i].takes & wish->content) != 0)
            hst_nearest_offer(&nearest, hst_exporters[i].name);
    if (nearest.best != NULL)
        hst_buffer_add_fmt(&hint, "--format %s; the formats are ", nearest.best);
    else
        hst_buffer_add_text(&hint, "one of ");
    add_formats(&hint, wish->content);
    return hst_message_usage(cli, wish->command, text_of(&hint), "there is no format '%s'", wish->format);
}

static int no_format(struct hst_cli *cli, const struct hst_export_wish *wish)
{
    HST_CLEANUP(hst_buffer_release) struct hst_buffer hint;
    hst_buffer_init(&hint, HINT_BYTES_MAX);
    hst_buffer_add_text(&hint, "--format FORMAT, which is one of ");
    add_formats(&hint, wish->content);
    if (wish->output == NULL)
        return hst_message_usage(cli, wish->command, text_of(&hint), "which format is wanted was not said");
    return hst_message_usage(cli, wish->command, text_of(&hint),
                             "the ending of '%s' does not tell the format", wish->output);
}

int hst_export_format_choose(struct hst_cli *cli, const struct hst_export_wish *wish,
                             const struct hst_exporter **ret_exporter)
{
    const struct hst_exporter *exporter = NULL;
    if (wish->format != NULL)
        exporter = hst_exporter_find(wish->format);
    else if (wish->output != NULL)
        exporter = hst_exporter_for_file(wish->output);
    *ret_exporter = exporter;
    if (exporter != NULL)
        return HST_PARSED;
    return wish->format != NULL ? unknown_format(cli, wish) : no_format(cli, wish);
}

char *hst_export_path(const struct hst_cli *cli, const struct hst_exporter *exporter, const char *output,
                      uint32_t pid)
{
    if (output != NULL)
        return hst_strdup(output);
    if (exporter->is_text && !isatty(fileno(cli->out)))
        return hst_strdup("-");
    return hst_exporter_file_name(exporter, pid);
}

static enum hst_status check_place(const struct hst_cli *cli, const struct hst_exporter *exporter,
                                   const char *output, const char *store, struct hst_error *err)
{
    HST_CLEANUP_FREE char *path = hst_export_path(cli, exporter, output, (uint32_t)getpid());
    HST_CLEANUP_FREE char *ours = hst_store_locate(store, ".");
    if (path == NULL || ours == NULL)
        return hst_error_set(err, HST_E_NOMEM, "out of memory");
    if (exporter->write == NULL)
        HST_TRY(hst_store_export_check(ours, path, err));
    return hst_output_probe(path, err);
}

int hst_export_foresee(struct hst_cli *cli, const struct hst_export_wish *wish, const char *store)
{
    const struct hst_exporter *exporter;
    struct hst_error err = {0};
    if (wish->format == NULL && wish->output == NULL)
        return HST_PARSED;
    int result = hst_export_format_choose(cli, wish, &exporter);
    if (result != HST_PARSED)
        return result;
    if (hst_exporter_check_content(exporter, wish->content, 0, &err) != HST_OK ||
        check_place(cli, exporter, wish->output, store, &err) != HST_OK)
        return hst_message_error(cli, &err);
    return HST_PARSED;
}
