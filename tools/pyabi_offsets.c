/* Prints the offset table of one interpreter (src/pyabi/cpython_3_N.c), compiled against that interpreter's headers:
 *   tools/pyabi_offsets.sh PREFIX... */
#define Py_BUILD_CORE 1
#include <Python.h>
#include <frameobject.h>
#if PY_VERSION_HEX >= 0x030b0000
#include <internal/pycore_frame.h>
#endif
#include <internal/pycore_pystate.h>
#if PY_VERSION_HEX >= 0x03090000
#include <internal/pycore_interp.h>
#include <internal/pycore_runtime.h>
#endif
#include <internal/pycore_gil.h>
#if PY_VERSION_HEX >= 0x030b0000
#include <internal/pycore_dict.h>
#include <internal/pycore_code.h>
#include <internal/pycore_genobject.h>
#else
#endif
#if PY_VERSION_HEX >= 0x030e0000
#include <internal/pycore_interpframe.h>
#include <internal/pycore_interpframe_structs.h>
#endif
#include <stddef.h>
#include <stdio.h>

#define V PY_MINOR_VERSION
#define P(name, value) printf("    .%s = %zu,\n", #name, (size_t)(value))

int main(void)
{
    P(runtime_size, sizeof(_PyRuntimeState));
    P(runtime_interpreters_head, offsetof(_PyRuntimeState, interpreters.head));
    P(interp_size, sizeof(PyInterpreterState));
#if PY_MINOR_VERSION == 8
    typedef PyInterpreterState interp_t;
    P(interp_next, offsetof(interp_t, next));
    P(interp_id, offsetof(interp_t, id));
    P(interp_threads_head, offsetof(interp_t, tstate_head));
    P(interp_modules, offsetof(interp_t, modules));
    P(runtime_gc_collecting, offsetof(_PyRuntimeState, gc.collecting));
#else
    P(interp_next, offsetof(PyInterpreterState, next));
    P(interp_id, offsetof(PyInterpreterState, id));
#if PY_MINOR_VERSION <= 10
    P(interp_threads_head, offsetof(PyInterpreterState, tstate_head));
#else
    P(interp_threads_head, offsetof(PyInterpreterState, threads.head));
#endif
#if PY_MINOR_VERSION <= 11
    P(interp_modules, offsetof(PyInterpreterState, modules));
#else
    P(interp_modules, offsetof(PyInterpreterState, imports.modules));
#endif
    P(interp_gc_collecting, offsetof(PyInterpreterState, gc.collecting));
#endif
#if PY_MINOR_VERSION >= 15
    P(interp_gc_frame, offsetof(PyInterpreterState, gc.frame));
    P(interp_code_generation, offsetof(PyInterpreterState, _code_object_generation));
#endif
#if PY_MINOR_VERSION <= 11
    P(runtime_gil, offsetof(_PyRuntimeState, ceval.gil));
#else
    P(interp_gil_pointer, offsetof(PyInterpreterState, ceval.gil));
#endif
    P(gil_size, sizeof(struct _gil_runtime_state));
    P(gil_holder, offsetof(struct _gil_runtime_state, last_holder));
    P(gil_locked, offsetof(struct _gil_runtime_state, locked));
    P(tstate_size, sizeof(PyThreadState));
    P(tstate_next, offsetof(PyThreadState, next));
    P(tstate_interp, offsetof(PyThreadState, interp));
    P(tstate_thread_id, offsetof(PyThreadState, thread_id));
#if PY_MINOR_VERSION <= 10
    P(tstate_frame, offsetof(PyThreadState, frame));
    P(frame_size, offsetof(PyFrameObject, f_localsplus));
    P(frame_localsplus, offsetof(PyFrameObject, f_localsplus));
    P(frame_previous, offsetof(PyFrameObject, f_back));
    P(frame_code, offsetof(PyFrameObject, f_code));
    P(frame_instruction, offsetof(PyFrameObject, f_lasti));
#if PY_MINOR_VERSION == 10
    P(frame_executing, offsetof(PyFrameObject, f_state));
#else
    P(frame_executing, offsetof(PyFrameObject, f_executing));
#endif
#else
    P(tstate_native_thread_id, offsetof(PyThreadState, native_thread_id));
    P(tstate_datastack_chunk, offsetof(PyThreadState, datastack_chunk));
#if PY_MINOR_VERSION <= 12
    P(tstate_cframe, offsetof(PyThreadState, cframe));
    P(cframe_current_frame, offsetof(_PyCFrame, current_frame));
#else
    P(tstate_frame, offsetof(PyThreadState, current_frame));
#endif
    P(frame_size, offsetof(_PyInterpreterFrame, localsplus));
    P(frame_localsplus, offsetof(_PyInterpreterFrame, localsplus));
    P(frame_previous, offsetof(_PyInterpreterFrame, previous));
#if PY_MINOR_VERSION <= 12
    P(frame_code, offsetof(_PyInterpreterFrame, f_code));
#else
    P(frame_code, offsetof(_PyInterpreterFrame, f_executable));
#endif
#if PY_MINOR_VERSION == 11
    P(frame_function, offsetof(_PyInterpreterFrame, f_func));
#else
    P(frame_function, offsetof(_PyInterpreterFrame, f_funcobj));
#endif
#if PY_MINOR_VERSION <= 12
    P(frame_instruction, offsetof(_PyInterpreterFrame, prev_instr));
#else
    P(frame_instruction, offsetof(_PyInterpreterFrame, instr_ptr));
#endif
#if PY_MINOR_VERSION <= 13
    P(frame_stack_top, offsetof(_PyInterpreterFrame, stacktop));
#else
    P(frame_stack_top, offsetof(_PyInterpreterFrame, stackpointer));
#endif
    P(frame_owner, offsetof(_PyInterpreterFrame, owner));
#if PY_MINOR_VERSION >= 14 && defined(Py_GIL_DISABLED)
    P(frame_tlbc_index, offsetof(_PyInterpreterFrame, tlbc_index));
    P(code_tlbc, offsetof(PyCodeObject, co_tlbc));
#endif
#endif
#if PY_MINOR_VERSION >= 15
    P(tstate_base_frame, offsetof(PyThreadState, base_frame));
#endif
    P(code_size, sizeof(PyCodeObject));
    P(code_filename, offsetof(PyCodeObject, co_filename));
    P(code_name, offsetof(PyCodeObject, co_name));
    P(code_first_line, offsetof(PyCodeObject, co_firstlineno));
    P(code_argcount, offsetof(PyCodeObject, co_argcount));
    P(code_flags, offsetof(PyCodeObject, co_flags));
    P(code_stacksize, offsetof(PyCodeObject, co_stacksize));
#if PY_MINOR_VERSION <= 10
#if PY_MINOR_VERSION == 10
    P(code_linetable, offsetof(PyCodeObject, co_linetable));
#else
    P(code_linetable, offsetof(PyCodeObject, co_lnotab));
#endif
    P(code_nlocalsplus, offsetof(PyCodeObject, co_nlocals));
    P(code_localsplusnames, offsetof(PyCodeObject, co_varnames));
    P(code_cellvars, offsetof(PyCodeObject, co_cellvars));
    P(code_freevars, offsetof(PyCodeObject, co_freevars));
    P(code_bytecode, offsetof(PyCodeObject, co_code));
#else
    P(code_qualname, offsetof(PyCodeObject, co_qualname));
    P(code_linetable, offsetof(PyCodeObject, co_linetable));
    P(code_nlocalsplus, offsetof(PyCodeObject, co_nlocalsplus));
    P(code_localsplusnames, offsetof(PyCodeObject, co_localsplusnames));
    P(code_localspluskinds, offsetof(PyCodeObject, co_localspluskinds));
    P(code_bytecode, offsetof(PyCodeObject, co_code_adaptive));
    P(gen_frame, offsetof(PyGenObject, gi_iframe));
#if PY_MINOR_VERSION >= 12
    P(code_framesize, offsetof(PyCodeObject, co_framesize));
#endif
#endif
    P(object_size, sizeof(PyObject));
    P(object_type, offsetof(PyObject, ob_type));
    P(type_name, offsetof(PyTypeObject, tp_name));
    P(type_flags, offsetof(PyTypeObject, tp_flags));
    P(type_basicsize, offsetof(PyTypeObject, tp_basicsize));
    P(type_dictoffset, offsetof(PyTypeObject, tp_dictoffset));
    P(type_base, offsetof(PyTypeObject, tp_base));
    P(type_dict, offsetof(PyTypeObject, tp_dict));
    P(heaptype_cached_keys, offsetof(PyHeapTypeObject, ht_cached_keys));
    P(heaptype_qualname, offsetof(PyHeapTypeObject, ht_qualname));
    P(var_size, offsetof(PyVarObject, ob_size));
    P(tuple_items, offsetof(PyTupleObject, ob_item));
    P(list_items, offsetof(PyListObject, ob_item));
    P(dict_used, offsetof(PyDictObject, ma_used));
    P(dict_keys, offsetof(PyDictObject, ma_keys));
    P(dict_values, offsetof(PyDictObject, ma_values));
#if PY_MINOR_VERSION >= 11
    P(keys_log2_size, offsetof(PyDictKeysObject, dk_log2_size));
    P(keys_log2_index_bytes, offsetof(PyDictKeysObject, dk_log2_index_bytes));
    P(keys_kind, offsetof(PyDictKeysObject, dk_kind));
    P(keys_nentries, offsetof(PyDictKeysObject, dk_nentries));
    P(keys_indices, offsetof(PyDictKeysObject, dk_indices));
#else
    /* dk_refcnt, dk_size, dk_lookup, dk_usable, dk_nentries, dk_indices: Objects/dict-common.h, not installed */
    P(keys_log2_size, 8);
    P(keys_nentries, 32);
    P(keys_indices, 40);
#endif
    P(float_value, offsetof(PyFloatObject, ob_fval));
    P(complex_value, offsetof(PyComplexObject, cval));
    P(cell_value, offsetof(PyCellObject, ob_ref));
#if PY_MINOR_VERSION <= 10
    P(function_code, offsetof(PyFunctionObject, func_code));
#endif
    P(function_qualname, offsetof(PyFunctionObject, func_qualname));
#if PY_MINOR_VERSION >= 12
    P(long_tag, offsetof(PyLongObject, long_value.lv_tag));
    P(long_digits, offsetof(PyLongObject, long_value.ob_digit));
#else
    P(long_tag, offsetof(PyVarObject, ob_size));
    P(long_digits, offsetof(PyLongObject, ob_digit));
#endif
    P(bytes_data, offsetof(PyBytesObject, ob_sval));
    P(str_length, offsetof(PyASCIIObject, length));
    P(str_state, offsetof(PyASCIIObject, state));
    P(str_ascii_data, sizeof(PyASCIIObject));
    P(str_compact_data, sizeof(PyCompactUnicodeObject));
    P(set_used, offsetof(PySetObject, used));
    P(set_table, offsetof(PySetObject, table));
    P(set_mask, offsetof(PySetObject, mask));
    return 0;
}
