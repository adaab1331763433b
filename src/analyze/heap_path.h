/* Objects, places and paths of a snapshot -> text as a person writes it: app.CACHE['users'].rows[3]; and such
 * a text -> the object. Dicts of modules and instances, and the cells of closures, are passed without a word.
 */
#ifndef HST_ANALYZE_HEAP_PATH_H
#define HST_ANALYZE_HEAP_PATH_H

#include "analyze/heap_view.h"
#include "base/buffer.h"

/* One step of a path. */
struct hst_heap_step {
    uint32_t edge;   /* in heap->targets; HST_HEAP_NONE: the root */
    uint32_t object; /* to which it leads */
};
/* The shortest path to an object, from its root on; needs PATHS. *ret_steps is the caller's to hst_free;
 * *ret_count 0: no root reaches it. */
enum hst_status hst_heap_path_find(struct hst_heap_view *view, uint32_t object,
                                   struct hst_heap_step **ret_steps, size_t *ret_count) HST_MUST_CHECK;

/* The shortest path as text; "not reached from any root" when there is none. */
enum hst_status hst_heap_path_add(struct hst_heap_view *view, uint32_t object,
                                  struct hst_buffer *into) HST_MUST_CHECK;
/* Whether it begins with a module, so that it names the object to a command. Needs PATHS. */
int hst_heap_path_is_of_module(const struct hst_heap_view *view, uint32_t object);
/* The same of steps that were found already; general: keys and indexes as [*], names as they are. */
enum hst_status hst_heap_path_add_steps(const struct hst_heap_view *view, const struct hst_heap_step *steps,
                                        size_t count, int general, struct hst_buffer *into) HST_MUST_CHECK;
/* The key of a dict's value, or HST_HEAP_NONE; whether the edge leads to the dict that holds a thing's names.
 */
uint32_t hst_heap_path_key(const struct hst_heap *heap, uint32_t source, uint32_t edge);
int hst_heap_path_leads_to_names(const struct hst_heap_view *view, uint32_t source, uint32_t edge);
/* What keeps a root alive: "module app", "local main.rows", "interpreter codecs", "C code". */
void hst_heap_path_add_root(const struct hst_heap_view *view, const struct hst_heap_root *root,
                            struct hst_buffer *into);
/* The place of an edge in its source: ".attr", "['key']", "[3]"; general: "[*]" for items and values whose
 * index or key is one of many. */
void hst_heap_path_add_place(const struct hst_heap_view *view, uint32_t source, uint32_t edge, int general,
                             struct hst_buffer *into);
/* The edge's source, by halving. */
uint32_t hst_heap_path_source(const struct hst_heap *heap, uint32_t edge);
/* The short value as Python would show it: 'text', b'\x00', 12; nothing when the heap has none. */
void hst_heap_path_add_value(const struct hst_heap_view *view, uint32_t object, struct hst_buffer *into);

/* 0x7f12..., or a path that begins with the name of a module. HST_E_NOENT: said in err, with what is near. */
enum hst_status hst_heap_path_resolve(const struct hst_heap_view *view, const char *text,
                                      uint32_t *ret_object, struct hst_error *err) HST_MUST_CHECK;
/* module.Class, or an end of it that only one type has. */
enum hst_status hst_heap_path_resolve_type(const struct hst_heap *heap, const char *text, uint32_t *ret_type,
                                           struct hst_error *err) HST_MUST_CHECK;

#endif
