/* Parses core files: program headers are the memory, notes are the rest (sys/procfs.h; the layout of NT_FILE
 * is count, page size, count times start, end and page offset, then the names).  Every number is checked
 * against the file's size. */
#include "target/core.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <libelf.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "target/core_memory.h"

enum { THREADS_MAX = 1 << 16, SEGMENTS_MAX = 1 << 20, MAPPED_MAX = 1 << 17, NOTES_BYTES_MAX = 256 << 20 };

#ifdef __aarch64__
enum { MACHINE = EM_AARCH64 };
#else
enum { MACHINE = EM_X86_64 };
#endif
#ifndef NT_ARM_TLS
#define NT_ARM_TLS 0x401
#endif

/* A file's part in the maps, as NT_FILE tells. */
struct mapped {
    hst_raddr start, end;
    uint64_t offset;
    size_t file;
};

struct parse {
    Elf *elf;
    uint64_t size; /* of the core */
    const char *root;
    struct hst_core *core;
    struct hst_core_memory *memory;
    struct mapped *mapped;
    size_t mapped_count, mapped_capacity;
};

static enum hst_status add_thread(struct parse *p, const char *data, size_t size)
{
    struct hst_core *core = p->core;
    struct elf_prstatus status;
    if (size < sizeof status || core->thread_count >= THREADS_MAX)
        return HST_OK;
    memcpy(&status, data, sizeof status);
    struct hst_core_thread thread = {.tid = status.pr_pid, .signal = status.pr_cursig};
#ifdef __x86_64__
    enum { R10 = 7, R9 = 8, R8 = 9, RDX = 12, RSI = 13, RDI = 14, ORIG_RAX = 15, FS_BASE = 21 };
    static const int order[6] = {RDI, RSI, RDX, R10, R8, R9};
    thread.thread_pointer = status.pr_reg[FS_BASE];
    thread.in_call = status.pr_reg[ORIG_RAX] < 4096;
    thread.call = thread.in_call ? (uint32_t)status.pr_reg[ORIG_RAX] : 0;
    for (int i = 0; i < 6; i++)
        thread.arguments[i] = status.pr_reg[order[i]];
#endif
    if (!HST_RESERVE(core->threads, core->thread_capacity, core->thread_count + 1))
        return HST_E_NOMEM;
    core->threads[core->thread_count++] = thread;
    return HST_OK;
}

static void take_process(struct hst_core *core, const char *data, size_t size)
{
    struct elf_prpsinfo info;
    if (size < sizeof info)
        return;
    memcpy(&info, data, sizeof info);
    core->pid = info.pr_pid;
    (void)snprintf(core->command, sizeof core->command, "%.*s", (int)sizeof info.pr_psargs, info.pr_psargs);
    for (size_t end = strlen(core->command); end > 0 && core->command[end - 1] == ' ';)
        core->command[--end] = '\0';
}

static void take_signal(struct hst_core *core, const char *data, size_t size)
{
    siginfo_t info;
    if (size < sizeof info)
        return;
    memcpy(&info, data, sizeof info);
    if (info.si_signo <= 0 || info.si_signo > SIGRTMAX || core->signal != 0)
        return;
    core->signal = info.si_signo;
    core->has_address = (info.si_signo == SIGSEGV || info.si_signo == SIGBUS || info.si_signo == SIGILL ||
                         info.si_signo == SIGFPE) &&
                        info.si_code > 0; /* sent by the kernel, not by kill(2) */
    core->address = (hst_raddr)(uintptr_t)info.si_addr;
}

static enum hst_status take_files(struct parse *p, const char *data, size_t size)
{
    uint64_t head[2];
    if (size < sizeof head)
        return HST_OK;
    memcpy(head, data, sizeof head);
    if (head[0] > MAPPED_MAX || head[1] > 1 << 24 || size < sizeof head + head[0] * 24)
        return HST_OK;
    const char *name = data + sizeof head + head[0] * 24, *end = data + size;
    for (uint64_t i = 0; i < head[0]; i++) {
        uint64_t row[3];
        memcpy(row, data + sizeof head + i * 24, sizeof row);
        const char *stop = memchr(name, '\0', (size_t)(end - name));
        if (stop == NULL)
            return HST_OK;
        struct mapped m = {.start = row[0], .end = row[1], .offset = row[2] * head[1]};
        if (!HST_RESERVE(p->mapped, p->mapped_capacity, p->mapped_count + 1))
            return HST_E_NOMEM;
        HST_TRY(hst_core_memory_add_file(p->memory, p->root, name, &m.file));
        if (m.start < m.end)
            p->mapped[p->mapped_count++] = m;
        name = stop + 1;
    }
    return HST_OK;
}

static enum hst_status take_note(struct parse *p, const GElf_Nhdr *note, const char *owner, const char *data)
{
    struct hst_core *core = p->core;
    if (strcmp(owner, "CORE") != 0 && strcmp(owner, "LINUX") != 0)
        return HST_OK;
    switch (note->n_type) {
    case NT_PRSTATUS:
        return add_thread(p, data, note->n_descsz);
    case NT_PRPSINFO:
        take_process(core, data, note->n_descsz);
        return HST_OK;
    case NT_SIGINFO:
        take_signal(core, data, note->n_descsz);
        return HST_OK;
    case NT_FILE:
        return take_files(p, data, note->n_descsz);
    case NT_ARM_TLS: /* of the thread before */
        if (core->thread_count > 0 && note->n_descsz >= 8)
            memcpy(&core->threads[core->thread_count - 1].thread_pointer, data, 8);
        return HST_OK;
    default:
        return HST_OK;
    }
}

static enum hst_status take_notes(struct parse *p, const GElf_Phdr *header)
{
    if (header->p_filesz > NOTES_BYTES_MAX || header->p_offset > p->size ||
        header->p_filesz > p->size - header->p_offset)
        return HST_OK;
    Elf_Data *data = elf_getdata_rawchunk(p->elf, (int64_t)header->p_offset, header->p_filesz, ELF_T_NHDR);
    GElf_Nhdr note;
    size_t name_at, data_at;
    for (size_t at = 0; data != NULL && (at = gelf_getnote(data, at, &note, &name_at, &data_at)) > 0;) {
        char owner[8];
        size_t length = note.n_namesz < sizeof owner ? note.n_namesz : 0;
        memcpy(owner, (char *)data->d_buf + name_at, length);
        owner[length < sizeof owner ? length : sizeof owner - 1] = '\0';
        HST_TRY(take_note(p, &note, owner, (char *)data->d_buf + data_at));
    }
    return HST_OK;
}

static const struct mapped *mapped_at(const struct parse *p, hst_raddr address)
{
    for (size_t i = 0; i < p->mapped_count; i++)
        if (p->mapped[i].start <= address && address < p->mapped[i].end)
            return &p->mapped[i];
    return NULL;
}

static enum hst_status take_segment(struct parse *p, const GElf_Phdr *header)
{
    if (header->p_memsz == 0 || header->p_vaddr + header->p_memsz < header->p_vaddr)
        return HST_OK;
    struct hst_core_segment s = {.start = header->p_vaddr,
                                 .end = header->p_vaddr + header->p_memsz,
                                 .core_offset = header->p_offset,
                                 .in_core =
                                     header->p_filesz < header->p_memsz ? header->p_filesz : header->p_memsz,
                                 .file = SIZE_MAX,
                                 .flags = ((header->p_flags & PF_R) != 0 ? HST_MAP_READ : 0) |
                                          ((header->p_flags & PF_W) != 0 ? HST_MAP_WRITE : 0) |
                                          ((header->p_flags & PF_X) != 0 ? HST_MAP_EXEC : 0)};
    uint64_t left = s.core_offset < p->size ? p->size - s.core_offset : 0;
    if (s.in_core > left) {
        p->core->cut_bytes += s.in_core - left;
        s.in_core = left;
    }
    const struct mapped *m = mapped_at(p, s.start);
    if (m != NULL) {
        s.file = m->file;
        s.file_offset = m->offset + (s.start - m->start);
    }
    return hst_core_memory_add_segment(p->memory, &s);
}

/* What was mapped and has no segment at all: some writers leave out what they do not copy. */
static enum hst_status add_unlisted(struct parse *p)
{
    size_t listed = p->memory->segment_count;
    for (size_t i = 0; i < p->mapped_count; i++) {
        const struct mapped *m = &p->mapped[i];
        int found = 0;
        for (size_t k = 0; k < listed && !found; k++)
            found = p->memory->segments[k].start < m->end && m->start < p->memory->segments[k].end;
        if (found)
            continue;
        struct hst_core_segment s = {.start = m->start,
                                     .end = m->end,
                                     .file_offset = m->offset,
                                     .file = m->file,
                                     .flags = HST_MAP_READ};
        HST_TRY(hst_core_memory_add_segment(p->memory, &s));
    }
    return HST_OK;
}

static enum hst_status make_maps(struct parse *p)
{
    struct hst_maps *maps = &p->core->maps;
    for (size_t i = 0; i < p->memory->segment_count; i++) {
        const struct hst_core_segment *s = &p->memory->segments[i];
        const char *path = s->file != SIZE_MAX ? hst_core_memory_file_path(p->memory, s->file) : "";
        if (!HST_RESERVE(maps->items, maps->capacity, maps->count + 1))
            return HST_E_NOMEM;
        struct hst_mapping m = {.start = s->start,
                                .end = s->end,
                                .offset = s->file != SIZE_MAX ? s->file_offset : 0,
                                .flags = s->flags,
                                .path = hst_strdup(path)};
        if (m.path == NULL)
            return HST_E_NOMEM;
        maps->items[maps->count++] = m;
    }
    return HST_OK;
}

static enum hst_status parse_headers(struct parse *p)
{
    size_t count;
    if (elf_getphdrnum(p->elf, &count) != 0 || count > SEGMENTS_MAX)
        return HST_E_INVALID;
    /* Notes first: they say which files the segments belong to. */
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < count; i++) {
            GElf_Phdr header;
            if (gelf_getphdr(p->elf, (int)i, &header) == NULL)
                return HST_E_INVALID;
            if (pass == 0 && header.p_type == PT_NOTE)
                HST_TRY(take_notes(p, &header));
            if (pass == 1 && header.p_type == PT_LOAD)
                HST_TRY(take_segment(p, &header));
        }
    HST_TRY(add_unlisted(p));
    hst_core_memory_finish(p->memory);
    HST_TRY(make_maps(p));
    if (p->core->thread_count > 0 && p->core->signal == 0)
        p->core->signal = p->core->threads[0].signal;
    if (p->core->pid == 0 && p->core->thread_count > 0)
        p->core->pid = p->core->threads[0].tid;
    return p->memory->segment_count > 0 && p->core->thread_count > 0 ? HST_OK : HST_E_INVALID;
}

static enum hst_status not_a_core(struct hst_error *err, const char *path, const char *what)
{
    (void)hst_error_set(err, HST_E_UNSUPPORTED, "%s is not a core file that can be read: %s", path, what);
    hst_error_hint(err, "hasten dump PID for a running process; gcore PID writes a core file of one");
    return HST_E_UNSUPPORTED;
}

static enum hst_status parse_elf(struct parse *p, const char *path, struct hst_error *err)
{
    GElf_Ehdr header;
    if (elf_kind(p->elf) != ELF_K_ELF || gelf_getehdr(p->elf, &header) == NULL)
        return not_a_core(err, path, "no ELF file");
    if (header.e_type != ET_CORE)
        return not_a_core(err, path, "an ELF file, but a program or a library");
    if (header.e_machine != MACHINE || header.e_ident[EI_CLASS] != ELFCLASS64)
        return not_a_core(err, path, "it is of another kind of machine");
    enum hst_status status = parse_headers(p);
    if (status == HST_E_INVALID)
        return not_a_core(err, path, "its headers do not hold together");
    return status;
}

enum hst_status hst_core_open(const char *path, const char *root, struct hst_core *ret_core,
                              struct hst_error *err)
{
    struct stat info;
    HST_CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &info) != 0)
        return hst_error_set(err, hst_status_from_errno(errno), "cannot open %s: %s", path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return not_a_core(err, path, "not a plain file");
    struct hst_core core = {.written_wall_ns =
                                (uint64_t)info.st_mtim.tv_sec * 1000000000u + (uint64_t)info.st_mtim.tv_nsec};
    struct parse p = {.size = (uint64_t)info.st_size, .root = root, .core = &core};
    int own = dup(fd);
    if (own < 0)
        return hst_error_set(err, HST_E_IO, "cannot open %s: %s", path, strerror(errno));
    HST_TRY(hst_core_memory_new(own, core.written_wall_ns, &p.memory));
    core.memory = &p.memory->base;
    (void)elf_version(EV_CURRENT);
    p.elf = elf_begin(fd, ELF_C_READ, NULL);
    enum hst_status status = p.elf != NULL ? parse_elf(&p, path, err) : not_a_core(err, path, "no ELF file");
    (void)elf_end(p.elf);
    hst_free(p.mapped);
    if (status != HST_OK) {
        hst_core_release(&core);
        return status == HST_E_NOMEM ? hst_error_set(err, status, "out of memory") : status;
    }
    *ret_core = core;
    return HST_OK;
}

void hst_core_release(struct hst_core *core)
{
    hst_maps_release(&core->maps);
    hst_free(core->threads);
    hst_memory_free(core->memory);
    *core = (struct hst_core){0};
}

const char *hst_core_missing(const struct hst_core *core, const char **ret_why)
{
    const struct hst_core_memory *memory = (const struct hst_core_memory *)core->memory;
    if (memory->missing == SIZE_MAX)
        return NULL;
    *ret_why = hst_core_memory_file_problem(memory, memory->missing);
    return hst_core_memory_file_path(memory, memory->missing);
}
