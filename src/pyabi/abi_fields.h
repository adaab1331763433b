/* The fields of CPython's structures that hasten reads, one line each: group, name, and where the value comes
 * from is the business of tools/pyabi_offsets.c (which is compiled against an interpreter's headers and
 * prints a table) and of debug_offsets.c (which takes them from the target itself, 3.13 and later).
 * HST_ABI_NONE = this version lacks it. */
#ifndef HST_PYABI_ABI_FIELDS_H
#define HST_PYABI_ABI_FIELDS_H

/* X(name): a byte offset or a size, as uint32_t. */
#define HST_ABI_FIELDS(X)                                                                                    \
    X(runtime_size)                                                                                          \
    X(runtime_interpreters_head)                                                                             \
    X(runtime_gil)           /* struct _gil_runtime_state inside _PyRuntime: 3.8 to 3.11 */                  \
    X(runtime_gc_collecting) /* 3.8 */                                                                       \
    X(interp_size)                                                                                           \
    X(interp_next)                                                                                           \
    X(interp_id)                                                                                             \
    X(interp_threads_head)                                                                                   \
    X(interp_gil_pointer)     /* pointer to the lock's structure: 3.12 and later */                          \
    X(interp_gc_collecting)   /* int: 3.9 and later */                                                       \
    X(interp_gc_frame)        /* frame that runs the collector: 3.15 */                                      \
    X(interp_modules)         /* sys.modules */                                                              \
    X(interp_code_generation) /* grows when a code object dies: 3.15 */                                      \
    X(gil_size)                                                                                              \
    X(gil_holder) /* PyThreadState * that has, or had last, the lock */                                      \
    X(gil_locked) /* int */                                                                                  \
    X(tstate_size)                                                                                           \
    X(tstate_next)                                                                                           \
    X(tstate_interp)                                                                                         \
    X(tstate_frame)  /* PyFrameObject *: to 3.10; _PyInterpreterFrame *: 3.13 and later */                   \
    X(tstate_cframe) /* _PyCFrame *: 3.11, 3.12 */                                                           \
    X(tstate_thread_id)                                                                                      \
    X(tstate_native_thread_id) /* 3.11 and later */                                                          \
    X(tstate_datastack_chunk)  /* 3.11 and later, with top and limit behind it */                            \
    X(tstate_base_frame)       /* embedded sentinel: 3.15 */                                                 \
    X(cframe_current_frame)                                                                                  \
    X(frame_size) /* up to localsplus, which is also where the locals begin */                               \
    X(frame_previous)                                                                                        \
    X(frame_code)                                                                                            \
    X(frame_function)    /* 3.11 and later */                                                                \
    X(frame_instruction) /* int f_lasti to 3.10, else a pointer into the bytecode */                         \
    X(frame_stack_top)   /* 3.11 to 3.13: int index, -1 while running; later a pointer */                    \
    X(frame_owner)       /* 3.11 and later */                                                                \
    X(frame_executing)   /* 3.8, 3.9: char; 3.10: signed char f_state, 0 = executing */                      \
    X(frame_localsplus)                                                                                      \
    X(frame_tlbc_index) /* free-threaded 3.14 and later */                                                   \
    X(code_size)                                                                                             \
    X(code_filename)                                                                                         \
    X(code_name)                                                                                             \
    X(code_qualname) /* 3.11 and later */                                                                    \
    X(code_linetable)                                                                                        \
    X(code_first_line)                                                                                       \
    X(code_argcount)                                                                                         \
    X(code_flags)                                                                                            \
    X(code_nlocalsplus) /* co_nlocals to 3.10 */                                                             \
    X(code_stacksize)                                                                                        \
    X(code_framesize)       /* in words: 3.12 and later */                                                   \
    X(code_localsplusnames) /* co_varnames to 3.10 */                                                        \
    X(code_cellvars)        /* to 3.10 */                                                                    \
    X(code_freevars)        /* to 3.10 */                                                                    \
    X(code_localspluskinds) /* 3.11 and later */                                                             \
    X(code_bytecode)        /* inline bytes: 3.11 and later; pointer to bytes: to 3.10 */                    \
    X(code_tlbc)            /* free-threaded 3.14 and later */                                               \
    X(gen_frame)            /* embedded frame of a generator: 3.11 and later */                              \
    X(object_size)                                                                                           \
    X(object_type)                                                                                           \
    X(type_name)                                                                                             \
    X(type_flags)                                                                                            \
    X(type_basicsize)                                                                                        \
    X(type_dictoffset)                                                                                       \
    X(type_base)                                                                                             \
    X(type_dict) /* NULL for the interpreter's own types from 3.12 on */                                     \
    X(heaptype_cached_keys)                                                                                  \
    X(heaptype_qualname)                                                                                     \
    X(var_size)                                                                                              \
    X(tuple_items)                                                                                           \
    X(list_items) /* pointer */                                                                              \
    X(dict_used)                                                                                             \
    X(dict_keys)                                                                                             \
    X(dict_values)                                                                                           \
    X(keys_log2_size)        /* 3.11 and later; to 3.10: dk_size */                                          \
    X(keys_log2_index_bytes) /* 3.11 and later */                                                            \
    X(keys_kind)                                                                                             \
    X(keys_nentries)                                                                                         \
    X(keys_indices)                                                                                          \
    X(float_value)                                                                                           \
    X(complex_value) /* two doubles */                                                                       \
    X(cell_value)                                                                                            \
    X(function_code) /* to 3.10 */                                                                           \
    X(function_qualname)                                                                                     \
    X(long_tag) /* 3.12 and later lv_tag; before: ob_size */                                                 \
    X(long_digits)                                                                                           \
    X(bytes_data)                                                                                            \
    X(str_length)                                                                                            \
    X(str_state)                                                                                             \
    X(str_ascii_data)                                                                                        \
    X(str_compact_data)                                                                                      \
    X(set_used)                                                                                              \
    X(set_table)                                                                                             \
    X(set_mask)

#endif
