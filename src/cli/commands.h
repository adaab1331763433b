/* Every command hasten has.  To add one:
 *   1. write src/cli/cmd_<name>.c with `int hst_cmd_<name>(struct hst_cli *cli, int argc, char **argv)`:
 * argv[0] is the command's name; it parses its own options (hst_options_parse, which also answers --help) and
 * returns an exit code (exit_codes.h);
 *   2. declare it below;
 *   3. add its file to the list in src/cli/meson.build and its row to the table in main.c. */
#ifndef HST_CLI_COMMANDS_H
#define HST_CLI_COMMANDS_H

#include "cli/messages.h"

typedef int hst_command_function(struct hst_cli *cli, int argc, char **argv);

/* measure */
hst_command_function hst_cmd_run;    /* start a program and sample it */
hst_command_function hst_cmd_trace;  /* start a program and trace it from inside */
hst_command_function hst_cmd_lines;  /* the same, line by line */
hst_command_function hst_cmd_attach; /* sample a running process */
hst_command_function hst_cmd_top;    /* the same, live in the terminal */
hst_command_function hst_cmd_dump;   /* every thread's stack, now */
hst_command_function hst_cmd_heap;   /* every object, by type; and by its second word: */
hst_command_function hst_cmd_heap_types, hst_cmd_heap_top, hst_cmd_heap_dominators, hst_cmd_heap_refs,
    hst_cmd_heap_cycles, hst_cmd_heap_diff, hst_cmd_heap_suspects, hst_cmd_heap_show, hst_cmd_heap_query,
    hst_cmd_heap_duplicates, hst_cmd_heap_waste, hst_cmd_heap_growth, hst_cmd_heap_export,
    hst_cmd_heap_import;
hst_command_function hst_cmd_heap_program; /* of a program that is started */
hst_command_function hst_cmd_count;        /* what programs count, live */
/* by the Python package */
hst_command_function hst_cmd_inside; /* the other end of a program's own measurement */
/* understand */
hst_command_function hst_cmd_show;   /* the report of a run */
hst_command_function hst_cmd_diff;   /* what changed between two runs */
hst_command_function hst_cmd_export; /* a run in another tool's format */
/* keep */
hst_command_function hst_cmd_import; /* a file of another profiler as a run */
hst_command_function hst_cmd_runs;   /* the runs in the store */
hst_command_function hst_cmd_rm;     /* remove runs */

#endif
