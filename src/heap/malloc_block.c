/* glibc's malloc/malloc.c: the word before a block has its size, and in the lowest bits whether the block
 * before is in use, whether it is mapped for itself, and whether it is of another arena than the main one. */
#include "heap/malloc_block.h"

enum { WORD = 8, ALIGNMENT = 16, SMALLEST = 32, PAGE = 4096 };
#define PREVIOUS_IN_USE UINT64_C(1)
#define MAPPED UINT64_C(2)
#define FLAGS UINT64_C(7)

uint64_t hst_malloc_block_bytes(const struct hst_image *image, hst_raddr address)
{
    const struct hst_image_region *region = hst_image_find(image, address);
    if (address % ALIGNMENT != 0 || region == NULL || address - region->start < 2 * WORD)
        return 0;
    uint64_t size = hst_image_word(image, address - WORD), bytes = size & ~FLAGS;
    hst_raddr start = address - 2 * WORD;
    if (bytes < SMALLEST || bytes % ALIGNMENT != 0 || bytes > region->end - start)
        return 0;
    if ((size & MAPPED) != 0)
        return start % PAGE == 0 && bytes % PAGE == 0 ? bytes : 0;
    /* The block behind it says that it is in use, and has a size itself. */
    uint64_t next = region->end - start - bytes >= 2 * WORD ? hst_image_word(image, start + bytes + WORD) : 0;
    return (next & PREVIOUS_IN_USE) != 0 && (next & ~FLAGS) >= ALIGNMENT ? bytes : 0;
}
