/* Where a thread stands: read from its frames, when events were missed. */
#include "agent/frame.h"
#include "agent/tracer.h"
#include "base/memory.h"

enum { DEPTH_MAX = 1 << 20, OWNER_FIRST_MARK = 3 /* 3.12 and later: no function's frame */ };

/* The innermost frame that is a function's. */
static const void *innermost_frame(void)
{
    if (hst_python.abi.minor >= 12)
        return hst_py_frame_now();
    const PyObject *object = hst_python.PyEval_GetFrame();
    return object != NULL ? hst_frame_of_object(object) : NULL;
}

static int is_mark(const void *frame)
{
    const struct hst_abi *abi = &hst_python.abi;
    return abi->minor >= 12 && *((const unsigned char *)frame + abi->frame_owner) >= OWNER_FIRST_MARK;
}

const void *hst_frame_outermost(void)
{
    const void *last = NULL;
    size_t depth = 0;
    for (const void *frame = innermost_frame(); frame != NULL && depth++ < DEPTH_MAX;
         frame = hst_py_pointer(frame, hst_python.abi.frame_previous))
        if (!is_mark(frame))
            last = frame;
    return last;
}

static void reverse(PyObject **codes, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        PyObject *code = codes[i];
        codes[i] = codes[count - 1 - i];
        codes[count - 1 - i] = code;
    }
}

void hst_tracer_stand_here(struct hst_tracer *tracer, int but)
{
    PyObject **codes = NULL;
    size_t count = 0, capacity = 0;
    for (const void *frame = innermost_frame(); frame != NULL && count < DEPTH_MAX;
         frame = hst_py_pointer(frame, hst_python.abi.frame_previous)) {
        if (is_mark(frame) || but-- > 0)
            continue;
        if (!HST_RESERVE(codes, capacity, count + 1))
            break;
        codes[count++] = hst_frame_code_of_any(frame);
    }
    reverse(codes, count);
    hst_tracer_stand(tracer, codes, count);
    hst_free(codes);
}
