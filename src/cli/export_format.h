/* Which format an export is to have, and whether a run that is yet to be made can be exported so. */
#ifndef HST_CLI_EXPORT_FORMAT_H
#define HST_CLI_EXPORT_FORMAT_H

#include "cli/messages.h"
#include "export/exporter.h"

/* What was asked for, as typed; NULL = not given. */
struct hst_export_wish {
    const char *command; /* whose option it is */
    const char *format, *output;
    unsigned content; /* of the run: only formats that take some of it are offered */
};

/* HST_PARSED when the exporter is known, else the mistake was named and this is the exit code. */
int hst_export_format_choose(struct hst_cli *cli, const struct hst_export_wish *wish,
                             const struct hst_exporter **ret_exporter);
/* The file, or "-". pid: of the run's first process. NULL: out of memory. */
char *hst_export_path(const struct hst_cli *cli, const struct hst_exporter *exporter, const char *output,
                      uint32_t pid);
/* Before a run is made: HST_PARSED when no export was asked for, or nothing is known that is against it.
 * store: as typed. */
int hst_export_foresee(struct hst_cli *cli, const struct hst_export_wish *wish, const char *store);

#endif
