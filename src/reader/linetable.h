/* A code object's table of positions: instruction -> line and columns. Three formats: 3.8 and 3.9
 * (co_lnotab), 3.10 (co_linetable of PEP 626), 3.11 and later (PEP 657 with columns). The bytes come from the
 * target: any bytes give an answer, none reads past the end. */
#ifndef HST_READER_LINETABLE_H
#define HST_READER_LINETABLE_H

#include <stddef.h>
#include <stdint.h>

struct hst_position {
    uint32_t line, end_line;     /* 0 = none */
    uint16_t column, end_column; /* + 1; 0 = not known */
};

/* instruction: byte offset in the bytecode. */
struct hst_position hst_linetable_find(const uint8_t *table, size_t length, unsigned minor,
                                       uint32_t first_line, uint32_t instruction);

#endif
