/* Whose a file of counters is, whether that process still lives, and where such files lie. */
#ifndef HST_COUNT_OWNER_H
#define HST_COUNT_OWNER_H

#include <stddef.h>

#include "event/counter_map.h"

enum hst_counter_life {
    HST_COUNTER_DEAD,
    HST_COUNTER_LIVES,
    HST_COUNTER_ELSEWHERE /* another pid namespace */
};

/* The calling process. */
void hst_counter_owner_read(struct hst_counter_owner *ret_owner);
/* Seen by self. Whoever cannot be judged lives elsewhere. */
enum hst_counter_life hst_counter_owner_life(const struct hst_counter_owner *self,
                                             const struct hst_counter_owner *owner);
/* PID-START.N.counters: the name that its file has. */
void hst_counter_file_name(const struct hst_counter_owner *owner, char *into, size_t size);
/* The arguments of the calling process, joined by spaces. */
void hst_counter_command_read(char *into, size_t size);
/* The calling user's folder; make: it is there afterwards. 0: it is not there, or not to be trusted. */
int hst_counter_folder(char *into, size_t size, int make);

#endif
