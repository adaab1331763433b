/* What the back ends up to 3.12 read in a frame: its code, the instruction it is at, and what that says of a
 * generator.  A frame is what the interpreter runs: to 3.10 the frame object itself. */
#ifndef HST_AGENT_FRAME_H
#define HST_AGENT_FRAME_H

#include "agent/python.h"

enum hst_opcode {
    HST_OPCODE_RETURN_GENERATOR = 75, /* 3.11, 3.12 */
    HST_OPCODE_RETURN_VALUE = 83,     /* to 3.12 */
    HST_OPCODE_YIELD_VALUE = 86,      /* to 3.11 */
    HST_OPCODE_YIELD_VALUE_3_12 = 150,
};
enum { HST_FRAME_OBJECT_FRAME = 24 /* PyFrameObject.f_frame, 3.11 */ };

/* Of every version. */
static inline PyObject *hst_frame_code_of_any(const void *frame)
{
    uint64_t word = hst_py_word(frame, hst_python.abi.frame_code);
    return (PyObject *)(uintptr_t)(hst_python.abi.minor >= 14 ? word & ~UINT64_C(7) : word);
}
/* The calling thread's outermost function (standing.c); NULL: none runs. */
const void *hst_frame_outermost(void);

static inline const void *hst_frame_of_object(const PyObject *object)
{
    return hst_python.abi.minor >= 11 ? hst_py_pointer(object, HST_FRAME_OBJECT_FRAME) : (const void *)object;
}

static inline PyObject *hst_frame_code(const void *frame)
{
    return hst_py_pointer(frame, hst_python.abi.frame_code);
}

/* NULL: before the first (to 3.10). */
static inline const uint8_t *hst_frame_instruction(const void *frame)
{
    const struct hst_abi *abi = &hst_python.abi;
    if (abi->minor >= 11)
        return hst_py_pointer(frame, abi->frame_instruction);
    int last = (int)(uint32_t)hst_py_word(frame, abi->frame_instruction);
    const char *code = (const char *)hst_frame_code(frame);
    const char *bytecode = (const char *)hst_py_pointer(code, abi->code_bytecode) + abi->bytes_data;
    return last < 0 ? NULL : (const uint8_t *)bytecode + last * (abi->minor >= 10 ? 2 : 1);
}

/* Of a generator of 3.8 to 3.11 that is entered, as the profile and trace hooks tell: 3.11 by the RESUME's
 * argument, or, when something is thrown into it, by standing at the yield still; those before by having
 * begun. */
static inline int hst_frame_is_resumed(const void *frame)
{
    const uint8_t *instruction = hst_frame_instruction(frame);
    if (hst_python.abi.minor <= 10 || instruction == NULL)
        return instruction != NULL;
    return instruction[0] == HST_OPCODE_YIELD_VALUE || instruction[1] != 0;
}

/* Of a generator of 3.8 to 3.12 that was left without an exception: by a yield. */
static inline int hst_frame_has_yielded(const void *frame)
{
    const uint8_t *instruction = hst_frame_instruction(frame);
    if (hst_python.abi.minor >= 12)
        return *instruction == HST_OPCODE_YIELD_VALUE_3_12;
    return instruction != NULL && *instruction != HST_OPCODE_RETURN_VALUE;
}

#endif
