/* What Python's pstats reads: one marshalled dict
 *
 *     {(file, first line, name): (cc, nc, tt, ct, {caller: (nc, cc, tt, ct), ...}), ...}
 *
 * with times in seconds. The first two of a caller's value stand in the other order than the function's own:
 * that is how cProfile writes it. nc is the number of calls, cc of those that were not made from within the
 * function itself. A sampler counts no calls, so of a sampled run cc is the number of samples with the
 * function on the stack, and nc counts it as often as it is there (more than cc: recursion). tt is self time;
 * ct counts time once, however often the function is on the stack, for edges as for functions. Functions of
 * equal file, line and name are one key.
 *
 * Marshal bytes used: '{' dict, '0' its end, ')' short tuple + count, 'u' UTF-8 text + int32 length, 'i'
 * int32, 'l' long of 15-bit digits, 'g' double; all little endian. */
#include <string.h>

#include "base/memory.h"
#include "export/calltree.h"
#include "export/exporter.h"
#include "export/text.h"

struct row {                   /* of a function, or of an edge from a caller */
    uint32_t function, caller; /* keys; caller HST_ID_NONE in a function's own row */
    uint32_t next;    /* edges: the next of the same function; a function: its first; HST_ID_NONE = none */
    uint32_t on_path; /* how often it is on the walk's path now */
    uint64_t nc, cc, self_ns, total_ns;
};

struct pstats {
    struct hst_export *run;
    struct hst_output *output;
    struct hst_calltree tree;
    uint32_t *key_of; /* a function -> the first function with the same key */
    struct row *functions;
    struct row *edges;
    size_t edge_count, edge_capacity;
    struct hst_map edge_index; /* caller << 32 | function -> edge */
};

static void pstats_release(struct pstats *pstats)
{
    hst_calltree_release(&pstats->tree);
    hst_free(pstats->key_of);
    hst_free(pstats->functions);
    hst_free(pstats->edges);
    hst_map_release(&pstats->edge_index);
}

static enum hst_status find_keys(struct pstats *pstats)
{
    const struct hst_profile *profile = pstats->run->profile;
    pstats->key_of = hst_alloc(profile->function_count, sizeof *pstats->key_of);
    pstats->functions = hst_alloc_zero(profile->function_count, sizeof *pstats->functions);
    if (pstats->key_of == NULL || pstats->functions == NULL)
        return HST_E_NOMEM;
    HST_CLEANUP(hst_map_release) struct hst_map seen = {0};
    for (uint32_t i = 0; i < profile->function_count; i++) {
        const struct hst_function *row = &profile->functions[i];
        const uint32_t parts[3] = {row->file, row->first_line, row->name};
        pstats->functions[i] = (struct row){.function = i, .caller = HST_ID_NONE, .next = HST_ID_NONE};
        for (uint64_t hash = hst_hash_bytes(parts, sizeof parts, 0);; hash++) {
            uint32_t found = hst_map_find(&seen, hash);
            if (found == HST_MAP_ABSENT) {
                if (!hst_map_set(&seen, hash, i))
                    return HST_E_NOMEM;
                found = i;
            }
            const struct hst_function *other = &profile->functions[found];
            if (other->file == row->file && other->first_line == row->first_line &&
                other->name == row->name) {
                pstats->key_of[i] = found;
                break;
            }
        }
    }
    return HST_OK;
}

static uint32_t key_at(const struct pstats *pstats, uint32_t stack)
{
    return pstats->key_of[hst_export_function_of(pstats->run->profile, stack)];
}

static uint32_t edge_at(struct pstats *pstats, uint32_t caller, uint32_t function)
{
    uint64_t key = (uint64_t)caller << 32 | function;
    uint32_t found = hst_map_find(&pstats->edge_index, key);
    if (found != HST_MAP_ABSENT)
        return found;
    found = (uint32_t)pstats->edge_count;
    if (!HST_RESERVE(pstats->edges, pstats->edge_capacity, pstats->edge_count + 1) ||
        !hst_map_set(&pstats->edge_index, key, found))
        return HST_ID_NONE;
    pstats->edges[pstats->edge_count++] =
        (struct row){.function = function, .caller = caller, .next = pstats->functions[function].next};
    pstats->functions[function].next = found;
    return found;
}

static void count(const struct pstats *pstats, struct row *row, const struct hst_calltree_node *node)
{
    uint64_t calls = hst_export_is_exact(pstats->run) ? node->self_samples : node->total_samples;
    row->nc += calls;
    row->self_ns += node->self_ns;
    if (row->on_path++ == 0) {
        row->cc += calls;
        row->total_ns += node->total_ns;
    }
}

static enum hst_status enter(void *context, uint32_t stack)
{
    struct pstats *pstats = context;
    const struct hst_calltree_node *node = &pstats->tree.nodes[stack];
    uint32_t function = key_at(pstats, stack), parent = pstats->run->profile->stacks[stack].parent;
    count(pstats, &pstats->functions[function], node);
    if (parent == 0)
        return HST_OK;
    uint32_t edge = edge_at(pstats, key_at(pstats, parent), function);
    if (edge == HST_ID_NONE)
        return HST_E_NOMEM;
    count(pstats, &pstats->edges[edge], node);
    return HST_OK;
}

static enum hst_status leave(void *context, uint32_t stack)
{
    struct pstats *pstats = context;
    uint32_t function = key_at(pstats, stack), parent = pstats->run->profile->stacks[stack].parent;
    pstats->functions[function].on_path--;
    if (parent != 0)
        pstats->edges[edge_at(pstats, key_at(pstats, parent), function)].on_path--;
    return HST_OK;
}

static void put_little(struct pstats *pstats, uint64_t value, unsigned bytes)
{
    uint8_t data[8];
    for (unsigned i = 0; i < bytes; i++)
        data[i] = (uint8_t)(value >> (8 * i));
    hst_output_add(pstats->output, data, bytes);
}

static void put_int(struct pstats *pstats, uint64_t value)
{
    if (value <= INT32_MAX) {
        hst_output_text(pstats->output, "i");
        put_little(pstats, value, 4);
        return;
    }
    unsigned digits = 0;
    for (uint64_t rest = value; rest != 0; rest >>= 15)
        digits++;
    hst_output_text(pstats->output, "l");
    put_little(pstats, digits, 4);
    for (; digits > 0; digits--, value >>= 15)
        put_little(pstats, value & 0x7fff, 2);
}

static void put_seconds(struct pstats *pstats, uint64_t ns)
{
    double seconds = (double)ns / 1e9;
    uint64_t bits;
    memcpy(&bits, &seconds, sizeof bits);
    hst_output_text(pstats->output, "g");
    put_little(pstats, bits, 8);
}

static void put_tuple(struct pstats *pstats, unsigned items)
{
    hst_output_text(pstats->output, ")");
    put_little(pstats, items, 1);
}

static enum hst_status put_text(struct pstats *pstats, const char *text)
{
    struct hst_buffer clean;
    hst_buffer_init(&clean, INT32_MAX);
    hst_text_clean(&clean, text, "", 0);
    hst_output_text(pstats->output, "u");
    put_little(pstats, clean.length, 4);
    hst_output_add(pstats->output, clean.data, clean.length);
    enum hst_status status = hst_buffer_status(&clean);
    hst_buffer_release(&clean);
    return status;
}

static enum hst_status put_key(struct pstats *pstats, uint32_t function)
{
    const struct hst_profile *profile = pstats->run->profile;
    const struct hst_function *row = &profile->functions[function];
    put_tuple(pstats, 3);
    HST_TRY(put_text(pstats, hst_profile_text(profile, row->file)));
    put_int(pstats, row->first_line);
    return put_text(pstats, hst_profile_text(profile, row->name));
}

static void put_times(struct pstats *pstats, const struct row *row)
{
    put_seconds(pstats, row->self_ns);
    put_seconds(pstats, row->total_ns);
}

static enum hst_status put_function(struct pstats *pstats, const struct row *row)
{
    HST_TRY(put_key(pstats, row->function));
    put_tuple(pstats, 5);
    put_int(pstats, row->cc);
    put_int(pstats, row->nc);
    put_times(pstats, row);
    hst_output_text(pstats->output, "{");
    for (uint32_t i = row->next; i != HST_ID_NONE; i = pstats->edges[i].next) {
        const struct row *edge = &pstats->edges[i];
        HST_TRY(put_key(pstats, edge->caller));
        put_tuple(pstats, 4);
        put_int(pstats, edge->nc);
        put_int(pstats, edge->cc);
        put_times(pstats, edge);
    }
    hst_output_text(pstats->output, "0");
    return HST_OK;
}

static enum hst_status put_no_frame(struct pstats *pstats, const struct hst_calltree_node *node)
{
    put_tuple(pstats, 3);
    HST_TRY(put_text(pstats, "~")); /* the file that cProfile gives what is not Python */
    put_int(pstats, 0);
    HST_TRY(put_text(pstats, HST_TEXT_NO_FRAME));
    put_tuple(pstats, 5);
    put_int(pstats, node->self_samples);
    put_int(pstats, node->self_samples);
    put_seconds(pstats, node->self_ns);
    put_seconds(pstats, node->self_ns);
    hst_output_text(pstats->output, "{0");
    return HST_OK;
}

static void add_sum(struct row *row, const struct hst_call_sum *sum)
{
    row->nc += sum->calls;
    row->cc += sum->primitive;
    row->self_ns += sum->self_ns;
    row->total_ns += sum->total_ns;
}

static enum hst_status take_imported(struct pstats *pstats)
{
    const struct hst_call_totals *totals = &pstats->run->imported->totals;
    for (size_t i = 0; i < totals->function_count; i++)
        add_sum(&pstats->functions[pstats->key_of[totals->functions[i].function]], &totals->functions[i].sum);
    for (size_t i = 0; i < totals->edge_count; i++) {
        const struct hst_call_edge *from = &totals->edges[i];
        uint32_t edge = edge_at(pstats, pstats->key_of[from->caller], pstats->key_of[from->callee]);
        if (edge == HST_ID_NONE || pstats->edges == NULL)
            return HST_E_NOMEM;
        add_sum(&pstats->edges[edge], &from->sum);
    }
    pstats->run->kept = totals->all.calls;
    return HST_OK;
}

static enum hst_status write_all(struct pstats *pstats, const struct hst_aggregate *aggregate)
{
    const struct hst_profile *profile = pstats->run->profile;
    HST_TRY(find_keys(pstats));
    if (pstats->run->imported != NULL) {
        HST_TRY(take_imported(pstats));
    } else {
        HST_TRY(hst_calltree_build(&pstats->tree, profile, aggregate));
        HST_TRY(hst_calltree_walk(&pstats->tree, enter, leave, pstats));
    }
    hst_output_text(pstats->output, "{");
    if (pstats->tree.nodes != NULL && pstats->tree.nodes[0].self_samples > 0)
        HST_TRY(put_no_frame(pstats, &pstats->tree.nodes[0]));
    for (size_t i = 0; i < profile->function_count; i++)
        if (pstats->functions[i].nc > 0 || pstats->functions[i].total_ns > 0)
            HST_TRY(put_function(pstats, &pstats->functions[i]));
    hst_output_text(pstats->output, "0");
    return HST_OK;
}

enum hst_status hst_export_pstats(struct hst_export *run, struct hst_output *output, struct hst_error *err)
{
    HST_CLEANUP(hst_aggregate_release) struct hst_aggregate aggregate;
    HST_CLEANUP(pstats_release) struct pstats pstats = {.run = run, .output = output};
    hst_aggregate_init(&aggregate);
    if (run->imported == NULL)
        HST_TRY(hst_export_sum(run, &aggregate, err));
    if (run->imported != NULL ? run->imported->totals.function_count == 0 : run->kept == 0) {
        hst_error_set(err, HST_E_INVALID, "the run has no %s of %s time, and pstats reads no empty profile",
                      hst_export_is_exact(run) ? "calls" : "samples", run->mode);
        hst_error_hint(err, "another --mode, or another format");
        return HST_E_INVALID;
    }
    return write_all(&pstats, &aggregate) == HST_OK ? HST_OK : hst_export_nomem(err);
}
