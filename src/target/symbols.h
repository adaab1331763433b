/* Addresses of symbols in a loaded ELF image. The dynamic symbol table is read out of the target's own
 * memory, where it is mapped: that works for a deleted or replaced file, in a container, under any name. A
 * symbol that is only in the file's full table, or a section's address, is looked up in the file. */
#ifndef HST_TARGET_SYMBOLS_H
#define HST_TARGET_SYMBOLS_H

#include "base/status.h"
#include "target/maps.h"
#include "target/memory.h"

/* An ELF file as it is mapped in the target. */
struct hst_elf {
    hst_raddr base;     /* where its ELF header is mapped */
    hst_raddr bias;     /* add to an address of the file */
    hst_raddr data_end; /* of what it may write to, with the zeroed data behind it; 0: none */
    const char *path;   /* of the mapping; owned by the maps */
    hst_raddr symbols, strings, gnu_hash; /* tables in the target; 0 = it has none */
    size_t symbol_count;                  /* from DT_HASH; 0 = not known */
};

/* Reads the headers at mapping (one with file offset 0). HST_E_INVALID: not a 64-bit ELF image. */
enum hst_status hst_elf_read(struct hst_memory *memory, const struct hst_mapping *mapping,
                             struct hst_elf *ret_image) HST_MUST_CHECK;
/* The target address of a dynamic symbol; 0 = not there. */
hst_raddr hst_elf_symbol(struct hst_memory *memory, const struct hst_elf *image, const char *name);
/* The same from the file's full symbol table, by libelf; path as seen from here. section may be NULL, else
 * the address of that section is taken when there is no such symbol. */
hst_raddr hst_file_symbol(const char *path, const struct hst_elf *image, const char *name,
                          const char *section);

#endif
