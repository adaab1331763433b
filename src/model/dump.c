/* Ownership of what a dump holds. */
#include "model/dump.h"

#include "base/memory.h"

void hst_variables_release(struct hst_variables *variables)
{
    for (size_t i = 0; i < variables->count; i++) {
        hst_free(variables->items[i].name);
        hst_free(variables->items[i].text);
    }
    hst_free(variables->items);
    *variables = (struct hst_variables){0};
}

void hst_dump_thread_clear_frames(struct hst_dump_thread *thread)
{
    for (size_t i = 0; i < thread->frame_count; i++)
        hst_variables_release(&thread->frames[i].variables);
    hst_free(thread->frames);
    thread->frames = NULL;
    thread->frame_count = 0;
}

int hst_dump_init(struct hst_dump *dump)
{
    *dump = (struct hst_dump){0};
    return hst_profile_init(&dump->profile);
}

void hst_dump_release(struct hst_dump *dump)
{
    for (size_t i = 0; i < dump->thread_count; i++) {
        hst_dump_thread_clear_frames(&dump->threads[i]);
        hst_free(dump->threads[i].name);
    }
    hst_free(dump->threads);
    hst_free(dump->command);
    hst_free(dump->core);
    hst_free(dump->root);
    hst_free(dump->directory);
    hst_profile_release(&dump->profile);
    *dump = (struct hst_dump){0};
}

struct hst_dump_thread *hst_dump_add_thread(struct hst_dump *dump)
{
    if (!HST_RESERVE(dump->threads, dump->thread_capacity, dump->thread_count + 1))
        return NULL;
    struct hst_dump_thread *thread = &dump->threads[dump->thread_count++];
    *thread = (struct hst_dump_thread){0};
    return thread;
}
