/* One way for all columns: predict a row, keep the difference.  Writing and reading share the prediction and
 * the look at what a row may be. */
#include "store/heap_column.h"

#include <string.h>

#include "base/memory.h"
#include "store/zstd_frame.h"

enum prediction {
    BEFORE,  /* the row before; the first: 0 */
    TYPE,    /* the row of the object before that has the same type; without one: 0 */
    TYPE_ON, /* the row before, and as much more as the object before of the same type had */
    TWIN,    /* the row of the same reference of that object, if both have as many; else the row before */
    NONE,    /* the rows are bytes, and are kept as they are */
};

struct column {
    enum prediction prediction;
    unsigned shift;       /* the lowest bits of a coded difference, which are mostly 0 and go to the top */
    uint64_t least, most; /* from the row before to this one; where nothing is said, any difference will do */
    size_t width;         /* bytes of a value */
    int is_ascending;
};
#define U32 sizeof(uint32_t)
#define U64 sizeof(uint64_t)
static const struct column columns[HST_COLUMN_COUNT] = {
    [HST_COLUMN_ADDRESS] = {BEFORE, .shift = 4, .least = 1, .most = UINT64_MAX, .width = U64,
                            .is_ascending = 1},
    [HST_COLUMN_TYPE] = {BEFORE, .width = U32},
    [HST_COLUMN_BYTES] = {TYPE, .shift = 4, .width = U64},
    [HST_COLUMN_END] = {TYPE_ON, .least = 0, .most = UINT32_MAX, .width = U32, .is_ascending = 1},
    [HST_COLUMN_TARGET] = {TWIN, .width = U32},
    [HST_COLUMN_PLACE] = {TWIN, .width = U32},
    [HST_COLUMN_VALUE_OBJECT] = {BEFORE, .least = 1, .most = UINT32_MAX, .width = U32, .is_ascending = 1},
    [HST_COLUMN_VALUE_END] = {BEFORE, .least = 0, .most = HST_HEAP_VALUE_BYTES, .width = U64,
                              .is_ascending = 1},
    [HST_COLUMN_VALUE_TEXT] = {NONE, .width = 1},
    [HST_COLUMN_ROOT_OBJECT] = {BEFORE, .width = U32},
    [HST_COLUMN_ROOT_KIND] = {BEFORE, .width = U32},
    [HST_COLUMN_ROOT_NUMBER] = {BEFORE, .width = U32},
    [HST_COLUMN_ROOT_NAME] = {BEFORE, .width = U32},
};
const char *const hst_heap_column_names[HST_COLUMN_COUNT] = {
    "address",   "type",       "bytes",       "end",       "target",      "place",    "value_object",
    "value_end", "value_text", "root_object", "root_kind", "root_number", "root_name"};

struct hst_heap_coder {
    struct hst_heap *heap;
    struct hst_heap_sizes sizes;
    ZSTD_CCtx *compressor;
    struct hst_zstd_reader reader;
    struct hst_buffer payload;
    uint32_t *last; /* of each type the object that was met last, HST_HEAP_NONE: none was */
    /* the column under way */
    const struct column *column;
    uint8_t *data; /* its first value; the next one is stride bytes behind it */
    size_t stride;
    uint64_t rows, row; /* how many there are, and the next one */
    uint64_t limit;     /* all values are below it */
    uint32_t object;    /* TWIN: whose references are coded */
    uint64_t back;      /* TWIN: so many rows before this one is the one that it is probably like */
};

struct hst_heap_sizes hst_heap_sizes_of(const struct hst_heap *heap)
{
    uint64_t references = heap->first != NULL ? heap->first[heap->count] : 0;
    const struct hst_heap_values *values = &heap->values;
    return (struct hst_heap_sizes){.objects = heap->count,
                                   .references = references,
                                   .places = heap->places != NULL ? references : 0,
                                   .values = values->count,
                                   .value_bytes = values->count > 0 ? values->ends[values->count - 1] : 0,
                                   .roots = heap->root_count};
}

uint64_t hst_heap_column_rows(const struct hst_heap_sizes *sizes, enum hst_heap_column column)
{
    return column <= HST_COLUMN_END          ? sizes->objects
           : column == HST_COLUMN_TARGET     ? sizes->references
           : column == HST_COLUMN_PLACE      ? sizes->places
           : column <= HST_COLUMN_VALUE_END  ? sizes->values
           : column == HST_COLUMN_VALUE_TEXT ? sizes->value_bytes
                                             : sizes->roots;
}

void hst_heap_coder_free(struct hst_heap_coder *coder)
{
    if (coder == NULL)
        return;
    (void)ZSTD_freeCCtx(coder->compressor);
    hst_zstd_reader_release(&coder->reader);
    hst_buffer_release(&coder->payload);
    hst_free(coder->last);
    hst_free(coder);
}

struct hst_heap_coder *hst_heap_coder_new(struct hst_heap *heap, const struct hst_heap_sizes *sizes)
{
    struct hst_heap_coder *coder = hst_alloc_zero(1, sizeof *coder);
    if (coder == NULL)
        return NULL;
    coder->heap = heap;
    coder->sizes = *sizes;
    coder->compressor = hst_zstd_compressor_new();
    coder->last = hst_alloc(heap->type_count, sizeof *coder->last);
    hst_buffer_init(&coder->payload, 0);
    if (hst_zstd_reader_init(&coder->reader) && coder->compressor != NULL && coder->last != NULL)
        return coder;
    hst_heap_coder_free(coder);
    return NULL;
}

static void *first_value(struct hst_heap *heap, enum hst_heap_column column)
{
    void *const values[HST_COLUMN_COUNT] = {
        [HST_COLUMN_ADDRESS] = heap->addresses,
        [HST_COLUMN_TYPE] = heap->types,
        [HST_COLUMN_BYTES] = heap->bytes,
        [HST_COLUMN_END] = heap->first != NULL ? heap->first + 1 : NULL,
        [HST_COLUMN_TARGET] = heap->targets,
        [HST_COLUMN_PLACE] = heap->places,
        [HST_COLUMN_VALUE_OBJECT] = heap->values.objects,
        [HST_COLUMN_VALUE_END] = heap->values.ends,
        [HST_COLUMN_VALUE_TEXT] = heap->values.data,
        [HST_COLUMN_ROOT_OBJECT] = heap->roots != NULL ? &heap->roots->object : NULL,
        [HST_COLUMN_ROOT_KIND] = heap->roots != NULL ? &heap->roots->kind : NULL,
        [HST_COLUMN_ROOT_NUMBER] = heap->roots != NULL ? &heap->roots->number : NULL,
        [HST_COLUMN_ROOT_NAME] = heap->roots != NULL ? &heap->roots->name : NULL,
    };
    return values[column];
}

/* What every value of a column is below. */
static uint64_t limit_of(const struct hst_heap_coder *coder, enum hst_heap_column column)
{
    switch (column) {
    case HST_COLUMN_TYPE:
        return coder->heap->type_count;
    case HST_COLUMN_END:
        return coder->sizes.references + 1;
    case HST_COLUMN_TARGET:
    case HST_COLUMN_VALUE_OBJECT:
    case HST_COLUMN_ROOT_OBJECT:
        return coder->sizes.objects;
    case HST_COLUMN_VALUE_END:
        return coder->sizes.value_bytes + 1;
    case HST_COLUMN_ROOT_KIND:
        return HST_ROOT_NATIVE + 1;
    case HST_COLUMN_ROOT_NAME:
        return coder->heap->strings.count;
    case HST_COLUMN_PLACE:
    case HST_COLUMN_ROOT_NUMBER:
        return UINT64_C(1) << 32;
    default:
        return UINT64_MAX;
    }
}

void hst_heap_coder_begin(struct hst_heap_coder *coder, enum hst_heap_column column)
{
    coder->column = &columns[column];
    coder->data = first_value(coder->heap, column);
    coder->stride = column >= HST_COLUMN_ROOT_OBJECT ? sizeof(struct hst_heap_root) : columns[column].width;
    coder->rows = hst_heap_column_rows(&coder->sizes, column);
    coder->row = 0;
    coder->limit = limit_of(coder, column);
    coder->object = HST_HEAP_NONE;
    for (size_t i = 0; i < coder->heap->type_count; i++)
        coder->last[i] = HST_HEAP_NONE;
}

uint64_t hst_heap_coder_left(const struct hst_heap_coder *coder) { return coder->rows - coder->row; }

static inline uint64_t value_at(const struct hst_heap_coder *coder, uint64_t row)
{
    const uint8_t *at = coder->data + row * coder->stride;
    uint32_t small;
    uint64_t large;
    if (coder->column->width == U64) {
        memcpy(&large, at, sizeof large);
        return large;
    }
    memcpy(&small, at, sizeof small);
    return small;
}

static inline void set_value(struct hst_heap_coder *coder, uint64_t row, uint64_t value)
{
    uint8_t *at = coder->data + row * coder->stride;
    uint32_t small = (uint32_t)value;
    if (coder->column->width == U64)
        memcpy(at, &value, sizeof value);
    else
        memcpy(at, &small, sizeof small);
}

/* The object before that has the type of this one, which takes its place. */
static inline uint32_t take_twin(struct hst_heap_coder *coder, uint32_t object)
{
    uint32_t *last = &coder->last[coder->heap->types[object]], twin = *last;
    *last = object;
    return twin;
}

/* Goes on to the object that the row is a reference of. */
static void find_object(struct hst_heap_coder *coder, uint64_t row)
{
    const uint32_t *first = coder->heap->first;
    do {
        coder->object++; /* from HST_HEAP_NONE to 0 */
        uint32_t object = coder->object, twin = take_twin(coder, object);
        int alike =
            twin != HST_HEAP_NONE && first[twin + 1] - first[twin] == first[object + 1] - first[object];
        coder->back = alike ? first[object] - first[twin] : 1;
    } while (row >= first[coder->object + 1]);
}

/* What the row probably is. Rows are asked for one after the other. */
static inline uint64_t predict(struct hst_heap_coder *coder, uint64_t row)
{
    const uint32_t *first = coder->heap->first;
    uint32_t twin;
    switch (coder->column->prediction) {
    case BEFORE:
        return row > 0 ? value_at(coder, row - 1) : 0;
    case TYPE:
        twin = take_twin(coder, (uint32_t)row);
        return twin != HST_HEAP_NONE ? value_at(coder, twin) : 0;
    case TYPE_ON:
        twin = take_twin(coder, (uint32_t)row);
        return first[row] + (twin != HST_HEAP_NONE ? (uint64_t)first[twin + 1] - first[twin] : 0);
    case TWIN:
        if (coder->object == HST_HEAP_NONE || row >= first[coder->object + 1])
            find_object(coder, row);
        return row >= coder->back ? value_at(coder, row - coder->back) : 0;
    default:
        return 0;
    }
}

/* Whether the next rows are what a heap may have there. */
static int rows_are_good(const struct hst_heap_coder *coder, uint64_t rows)
{
    const struct column *column = coder->column;
    if (column->prediction == NONE)
        return 1;
    uint64_t before = coder->row > 0 ? value_at(coder, coder->row - 1) : 0;
    for (uint64_t row = coder->row; row < coder->row + rows; row++) {
        uint64_t value = value_at(coder, row), least = row > 0 ? column->least : 0;
        if (value >= coder->limit)
            return 0;
        if (column->is_ascending &&
            (value < before || value - before < least || value - before > column->most))
            return 0;
        before = value;
    }
    /* Each reference is some object's, each byte some value's. */
    if (column == &columns[HST_COLUMN_END] || column == &columns[HST_COLUMN_VALUE_END])
        return coder->row + rows < coder->rows || before == coder->limit - 1;
    return 1;
}

static inline uint64_t rotate(uint64_t value, unsigned right)
{
    return right > 0 ? value >> right | value << (64 - right) : value;
}

static void encode_rows(struct hst_heap_coder *coder, uint64_t rows)
{
    struct hst_buffer *payload = &coder->payload;
    hst_buffer_clear(payload);
    hst_buffer_add_byte(payload, HST_HEAP_BLOCK_FORMAT);
    if (coder->column->prediction == NONE) {
        hst_buffer_add(payload, coder->data + coder->row, rows);
        return;
    }
    for (uint64_t row = coder->row; row < coder->row + rows; row++) {
        uint64_t difference = value_at(coder, row) - predict(coder, row);
        uint64_t zigzag = difference << 1 ^ (difference >> 63 != 0 ? UINT64_MAX : 0);
        uint64_t code = rotate(zigzag, coder->column->shift);
        if (code < 0x80 && payload->length < payload->capacity) /* most are: as add_u64, without the call */
            payload->data[payload->length++] = (uint8_t)code;
        else
            hst_buffer_add_u64(payload, code);
    }
}

enum hst_status hst_heap_encode(struct hst_heap_coder *coder, struct hst_buffer *out, uint64_t *ret_rows,
                                const char **ret_reason)
{
    uint64_t left = hst_heap_coder_left(coder),
             rows = left < HST_HEAP_BLOCK_ROWS ? left : HST_HEAP_BLOCK_ROWS;
    if (!rows_are_good(coder, rows)) {
        *ret_reason = hst_heap_column_names[coder->column - columns];
        return HST_E_INVALID;
    }
    encode_rows(coder, rows);
    HST_TRY(hst_buffer_status(&coder->payload));
    size_t bound = ZSTD_compressBound(coder->payload.length);
    if (!HST_RESERVE(out->data, out->capacity, out->length + bound))
        return HST_E_NOMEM;
    size_t length = ZSTD_compress2(coder->compressor, out->data + out->length, bound, coder->payload.data,
                                   coder->payload.length);
    if (ZSTD_isError(length))
        return HST_E_NOMEM;
    out->length += length;
    coder->row += rows;
    *ret_rows = rows;
    return HST_OK;
}

static int decode_rows(struct hst_heap_coder *coder, uint64_t rows, struct hst_cursor *cursor)
{
    uint64_t large = coder->column->width == U64 ? UINT64_MAX : UINT32_MAX;
    for (uint64_t row = coder->row; row < coder->row + rows; row++) {
        uint64_t code =
            cursor->at < cursor->end && *cursor->at < 0x80 ? *cursor->at++ : hst_cursor_u64(cursor);
        uint64_t zigzag = rotate(code, (64 - coder->column->shift) % 64);
        uint64_t value = predict(coder, row) + (zigzag >> 1 ^ ((zigzag & 1) != 0 ? UINT64_MAX : 0));
        if (value > large)
            return 0;
        set_value(coder, row, value);
    }
    return 1;
}

enum hst_status hst_heap_decode(struct hst_heap_coder *coder, uint64_t rows, const void *data, size_t length,
                                const char **ret_reason)
{
    struct hst_cursor cursor;
    if (rows == 0 || rows > HST_HEAP_BLOCK_ROWS || rows > hst_heap_coder_left(coder))
        return hst_block_corrupt(ret_reason, "it has more rows than there are, or none");
    int is_text = coder->column->prediction == NONE;
    HST_TRY(hst_zstd_reader_read(&coder->reader, data, length, 1 + rows * (is_text ? 1 : 10), &cursor,
                                 ret_reason));
    if (hst_cursor_byte(&cursor) != HST_HEAP_BLOCK_FORMAT)
        return hst_block_corrupt(ret_reason, "its format is not known");
    if (is_text) {
        const uint8_t *text = hst_cursor_bytes(&cursor, rows);
        if (text != NULL)
            memcpy(coder->data + coder->row, text, rows);
    } else if (!decode_rows(coder, rows, &cursor)) {
        return hst_block_corrupt(ret_reason, "a value does not fit");
    }
    if (cursor.failed || cursor.at != cursor.end)
        return hst_block_corrupt(ret_reason, "it does not end where its rows end");
    if (!rows_are_good(coder, rows))
        return hst_block_corrupt(ret_reason, "a value is out of range or out of order");
    coder->row += rows;
    return HST_OK;
}
