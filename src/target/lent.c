/* One record. */
#include "target/lent.h"

#include <stddef.h>

static struct hst_lent the_one;

void hst_lent_set(const struct hst_lent *lent) { the_one = *lent; }

const struct hst_lent *hst_lent_of(int pid) { return pid != 0 && the_one.pid == pid ? &the_one : NULL; }
