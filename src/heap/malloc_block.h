/* The size of a block of the C library's allocator (glibc), by what stands before it. */
#ifndef HST_HEAP_MALLOC_BLOCK_H
#define HST_HEAP_MALLOC_BLOCK_H

#include "heap/image.h"

/* Bytes of the block that begins at address, with its head; 0: none seems to. */
uint64_t hst_malloc_block_bytes(const struct hst_image *image, hst_raddr address);

#endif
