/* Include/object.h and refcount.h of 3.8 to 3.15: one number, which since 3.12 has a range of the immortal
 * and since 3.14 flags above it; without the interpreter lock one of the thread that made the object, and one
 * of all others. */
#include "heap/counts.h"

#include <string.h>

#define COUNT_MAX (UINT64_C(1) << 40) /* to 3.11: what is more is an address */
#define IMMORTAL UINT64_C(0x80000000) /* and more: 3.12 and later */
#define DEFERRED_BIT 64u              /* of the collector's bits */
#define DEFERRED_3_14 (INT64_MAX / 8) /* is added to the number so that it never gets 0 */
#define DEFERRED_3_13 1
/* Offsets in a free-threaded object's head. */
enum { MUTEX = 10, COLLECTOR_BITS = 11, LOCAL = 12, SHARED = 16, SHARED_FLAG_BITS = 2, MUTEX_MAX = 3 };

int hst_count_is_deferred(const struct hst_abi *abi, const uint8_t *object)
{
    return abi->free_threaded && (object[COLLECTOR_BITS] & DEFERRED_BIT) != 0;
}

static uint64_t read_free_threaded(const struct hst_abi *abi, const uint8_t *object)
{
    uint32_t local;
    int64_t shared;
    memcpy(&local, object + LOCAL, sizeof local);
    memcpy(&shared, object + SHARED, sizeof shared);
    int64_t count = (shared >> SHARED_FLAG_BITS) + local;
    if (local == UINT32_MAX)
        return HST_COUNT_FOREVER;
    if (count <= 0 || object[MUTEX] > MUTEX_MAX)
        return HST_COUNT_NONE;
    if (hst_count_is_deferred(abi, object)) {
        int64_t added = abi->minor >= 14 ? DEFERRED_3_14 : DEFERRED_3_13;
        count = count > added ? count - added : 1;
    }
    return (uint64_t)count;
}

uint64_t hst_count_read(const struct hst_abi *abi, const uint8_t *object)
{
    uint64_t word;
    if (abi->free_threaded)
        return read_free_threaded(abi, object);
    memcpy(&word, object, sizeof word);
    if (abi->minor <= 11)
        return word < COUNT_MAX ? word : HST_COUNT_NONE;
    if (abi->minor <= 13 && word >> 32 != 0)
        return HST_COUNT_NONE;
    /* Since 3.14 flags stand at the top, and nothing between them and the number: of what waits in a list of
     * free objects that word is the address of the next one. */
    if (word >> 32 & UINT16_MAX)
        return HST_COUNT_NONE;
    word &= UINT32_MAX;
    return word >= IMMORTAL ? HST_COUNT_FOREVER : word;
}
