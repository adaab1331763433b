/* B and E events of each thread, as they come. Names are spelled once a function. */
#include "export/timeline.h"

#include "base/memory.h"
#include "export/text.h"

#define TEXTS_BYTES_MAX (UINT64_C(1) << 30)

struct chrome_writer {
    struct hst_export *run;
    struct hst_output *output;
    size_t *names;   /* by function: where its text begins, + 1; 0: not spelled yet */
    size_t *threads; /* by thread: the same */
    struct hst_buffer texts;
};

static void chrome_writer_release(struct chrome_writer *writer)
{
    hst_free(writer->names);
    hst_free(writer->threads);
    hst_buffer_release(&writer->texts);
}

static void add_json(struct hst_buffer *buffer, const char *text)
{
    hst_buffer_add_byte(buffer, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            hst_buffer_add_byte(buffer, '\\');
        hst_buffer_add_byte(buffer, (uint8_t)*text); /* cleaned: no control characters */
    }
    hst_buffer_add_byte(buffer, '"');
}

static const char *name_of(struct chrome_writer *writer, uint32_t stack)
{
    const struct hst_profile *profile = writer->run->profile;
    uint32_t function = hst_export_function_of(profile, stack);
    struct hst_buffer *texts = &writer->texts;
    if (writer->names[function] == 0) {
        struct hst_buffer label;
        hst_buffer_init(&label, 0);
        hst_text_label(&label, profile, function, writer->run->info->directory, "", 0);
        hst_buffer_add_byte(&label, 0);
        writer->names[function] = texts->length + 1;
        hst_buffer_add_text(texts, "\",\"cat\":\"python\",\"name\":");
        add_json(texts, hst_buffer_status(&label) == HST_OK ? (const char *)label.data : "");
        hst_buffer_add_byte(texts, 0);
        hst_buffer_release(&label);
    }
    return texts->failed ? "" : (const char *)texts->data + writer->names[function] - 1;
}

static const char *thread_of(struct chrome_writer *writer, uint32_t thread)
{
    const struct hst_profile *profile = writer->run->profile;
    struct hst_buffer *texts = &writer->texts;
    if (writer->threads[thread] == 0) {
        const struct hst_thread *row = &profile->threads[thread];
        writer->threads[thread] = texts->length + 1;
        hst_buffer_add_fmt(texts, ",\"pid\":%u,\"tid\":%u,\"ts\":", profile->processes[row->process].pid,
                           row->native_id);
        hst_buffer_add_byte(texts, 0);
    }
    return texts->failed ? "" : (const char *)texts->data + writer->threads[thread] - 1;
}

static enum hst_status take(void *context, const struct hst_call_event *call)
{
    struct chrome_writer *writer = context;
    struct hst_output *output = writer->output;
    hst_output_text(output, call->kind == HST_CALL_ENTER ? ",\n{\"ph\":\"B" : ",\n{\"ph\":\"E");
    hst_output_text(output, name_of(writer, call->stack));
    hst_output_text(output, thread_of(writer, call->thread));
    hst_output_decimal(output, call->time_ns, 3);
    hst_output_text(output, call->continued ? ",\"args\":{\"continued\":true}}" : "}");
    return hst_buffer_status(&writer->texts);
}

enum hst_status hst_timeline_export_chrome(struct hst_export *run, struct hst_output *output,
                                           struct hst_error *err)
{
    HST_CLEANUP(chrome_writer_release) struct chrome_writer writer = {.run = run, .output = output};
    hst_buffer_init(&writer.texts, TEXTS_BYTES_MAX);
    writer.threads = hst_alloc_zero(run->profile->thread_count + 1, sizeof *writer.threads);
    writer.names = hst_alloc_zero(run->profile->function_count + 1, sizeof *writer.names);
    if (writer.threads == NULL || writer.names == NULL)
        return hst_export_nomem(err);
    return hst_timeline_walk(run, take, &writer, err);
}
