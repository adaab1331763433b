/* Who writes a run, as a text that another process can check: is that writer still alive?  A process number
 * alone would not do, since numbers are used again. */
#ifndef HST_STORE_WRITER_MARK_H
#define HST_STORE_WRITER_MARK_H

#include <stddef.h>
#include <stdint.h>

enum hst_writer_life {
    HST_WRITER_GONE,
    HST_WRITER_ALIVE,
    HST_WRITER_ELSEWHERE /* cannot be seen from here */
};

/* "PID START BOOT NAMESPACE" of this process: number, start in clock ticks since the machine's start, the
 * kernel's boot id, and the inode of the pid namespace in which the number counts. */
void hst_writer_mark(char *ret_mark, size_t size);
enum hst_writer_life hst_writer_life(const char *mark);

#endif
