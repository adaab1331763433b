/* Bits of tp_flags: the same in every version since 3.8 unless said otherwise. They tell an object's kind
 * without the address of any type. */
#ifndef HST_READER_TYPE_FLAGS_H
#define HST_READER_TYPE_FLAGS_H

#define HST_TYPE_INLINE_VALUES (1ull << 2)   /* 3.13 and later */
#define HST_TYPE_MANAGED_WEAKREF (1ull << 3) /* 3.12 and later */
#define HST_TYPE_MANAGED_DICT (1ull << 4)    /* 3.11 and later */
#define HST_TYPE_HEAP (1ull << 9)
#define HST_TYPE_HAVE_GC (1ull << 14)
#define HST_TYPE_LONG (1ull << 24)
#define HST_TYPE_LIST (1ull << 25)
#define HST_TYPE_TUPLE (1ull << 26)
#define HST_TYPE_BYTES (1ull << 27)
#define HST_TYPE_STR (1ull << 28)
#define HST_TYPE_DICT (1ull << 29)
#define HST_TYPE_EXCEPTION (1ull << 30)
#define HST_TYPE_TYPE (1ull << 31)

#endif
