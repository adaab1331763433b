/* ELF symbols, from the target's memory first and from the file second. Everything read is untrusted: counts
 * and chain lengths are bounded, and a bad table only means "not found". */
#include "target/symbols.h"

#include <elf.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

enum { PHDRS_MAX = 64, DYNAMIC_MAX = 512, CHAIN_MAX = 4096, SYMBOLS_MAX = 1 << 17 };

/* glibc relocates these entries in memory, musl does not. */
static hst_raddr table_address(const struct hst_elf *image, uint64_t value)
{
    return value != 0 && value < image->bias ? value + image->bias : value;
}

static void read_dynamic(struct hst_memory *memory, struct hst_elf *image, hst_raddr at)
{
    for (size_t i = 0; i < DYNAMIC_MAX; i++) {
        Elf64_Dyn entry;
        if (hst_memory_read(memory, at + i * sizeof entry, &entry, sizeof entry) != HST_OK ||
            entry.d_tag == DT_NULL)
            return;
        switch (entry.d_tag) {
        case DT_SYMTAB:
            image->symbols = table_address(image, entry.d_un.d_ptr);
            break;
        case DT_STRTAB:
            image->strings = table_address(image, entry.d_un.d_ptr);
            break;
        case DT_GNU_HASH:
            image->gnu_hash = table_address(image, entry.d_un.d_ptr);
            break;
        case DT_HASH: {
            uint32_t head[2];
            if (hst_memory_read(memory, table_address(image, entry.d_un.d_ptr), head, sizeof head) == HST_OK)
                image->symbol_count = head[1] <= SYMBOLS_MAX ? head[1] : 0;
            break;
        }
        default:
            break;
        }
    }
}

enum hst_status hst_elf_read(struct hst_memory *memory, const struct hst_mapping *mapping,
                             struct hst_elf *ret_image)
{
    Elf64_Ehdr header;
    HST_TRY(hst_memory_read(memory, mapping->start, &header, sizeof header));
    if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
        header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > PHDRS_MAX)
        return HST_E_INVALID;
    Elf64_Phdr programs[PHDRS_MAX];
    HST_TRY(hst_memory_read(memory, mapping->start + header.e_phoff, programs,
                            header.e_phnum * sizeof programs[0]));
    struct hst_elf image = {.base = mapping->start, .path = mapping->path};
    uint64_t first = UINT64_MAX, dynamic = 0, data_end = 0;
    for (size_t i = 0; i < header.e_phnum; i++) {
        if (programs[i].p_type == PT_LOAD && programs[i].p_vaddr < first)
            first = programs[i].p_vaddr;
        if (programs[i].p_type == PT_LOAD && (programs[i].p_flags & PF_W) != 0 &&
            programs[i].p_vaddr + programs[i].p_memsz > data_end)
            data_end = programs[i].p_vaddr + programs[i].p_memsz;
        if (programs[i].p_type == PT_DYNAMIC)
            dynamic = programs[i].p_vaddr;
    }
    if (first == UINT64_MAX)
        return HST_E_INVALID;
    image.bias = header.e_type == ET_DYN ? mapping->start - (first & ~4095ull) : 0;
    if (data_end != 0)
        image.data_end = image.bias + data_end;
    if (dynamic != 0)
        read_dynamic(memory, &image, image.bias + dynamic);
    *ret_image = image;
    return HST_OK;
}

/* The target address of symbol index when its name is name, else 0. */
static hst_raddr symbol_if_named(struct hst_memory *memory, const struct hst_elf *image, size_t index,
                                 const char *name)
{
    Elf64_Sym symbol;
    char text[64];
    if (hst_memory_read(memory, image->symbols + index * sizeof symbol, &symbol, sizeof symbol) != HST_OK ||
        symbol.st_shndx == SHN_UNDEF ||
        hst_memory_read_text(memory, image->strings + symbol.st_name, text, sizeof text) != HST_OK ||
        strcmp(text, name) != 0)
        return 0;
    return image->bias + symbol.st_value;
}

static uint32_t gnu_hash(const char *name)
{
    uint32_t hash = 5381;
    for (; *name != '\0'; name++)
        hash = hash * 33 + (unsigned char)*name;
    return hash;
}

/* Table: buckets, first symbol, bloom words, shift; bloom filter; buckets; chain hashes (low bit ends a
 * chain). */
static hst_raddr find_by_gnu_hash(struct hst_memory *memory, const struct hst_elf *image, const char *name)
{
    uint32_t head[4], hash = gnu_hash(name), index;
    if (hst_memory_read(memory, image->gnu_hash, head, sizeof head) != HST_OK || head[0] == 0)
        return 0;
    hst_raddr buckets = image->gnu_hash + sizeof head + (uint64_t)head[2] * 8;
    hst_raddr chains = buckets + (uint64_t)head[0] * 4;
    if (hst_memory_read_u32(memory, buckets + (uint64_t)(hash % head[0]) * 4, &index) != HST_OK ||
        index < head[1])
        return 0;
    for (size_t walked = 0; walked < CHAIN_MAX; walked++, index++) {
        uint32_t entry;
        if (hst_memory_read_u32(memory, chains + (uint64_t)(index - head[1]) * 4, &entry) != HST_OK)
            return 0;
        hst_raddr found = (entry | 1) == (hash | 1) ? symbol_if_named(memory, image, index, name) : 0;
        if (found != 0 || (entry & 1) != 0)
            return found;
    }
    return 0;
}

hst_raddr hst_elf_symbol(struct hst_memory *memory, const struct hst_elf *image, const char *name)
{
    if (image->symbols == 0 || image->strings == 0)
        return 0;
    if (image->gnu_hash != 0)
        return find_by_gnu_hash(memory, image, name);
    for (size_t i = 0; i < image->symbol_count; i++) {
        hst_raddr found = symbol_if_named(memory, image, i, name);
        if (found != 0)
            return found;
    }
    return 0;
}

static hst_raddr scan_symbols(Elf *elf, Elf_Scn *section, const GElf_Shdr *header, const char *name)
{
    Elf_Data *data = elf_getdata(section, NULL);
    size_t count = data != NULL && header->sh_entsize != 0 ? header->sh_size / header->sh_entsize : 0;
    for (size_t i = 0; i < count && i < INT32_MAX; i++) {
        GElf_Sym symbol;
        if (gelf_getsym(data, (int)i, &symbol) == NULL || symbol.st_shndx == SHN_UNDEF)
            continue;
        const char *text = elf_strptr(elf, header->sh_link, symbol.st_name);
        if (text != NULL && strcmp(text, name) == 0)
            return symbol.st_value;
    }
    return 0;
}

hst_raddr hst_file_symbol(const char *path, const struct hst_elf *image, const char *name,
                          const char *section_name)
{
    (void)elf_version(EV_CURRENT);
    HST_CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    Elf *elf = fd >= 0 ? elf_begin(fd, ELF_C_READ_MMAP, NULL) : NULL;
    hst_raddr found = 0, of_section = 0;
    size_t names = 0;
    if (elf == NULL || elf_getshdrstrndx(elf, &names) != 0) {
        (void)elf_end(elf);
        return 0;
    }
    for (Elf_Scn *s = elf_nextscn(elf, NULL); s != NULL && found == 0; s = elf_nextscn(elf, s)) {
        GElf_Shdr header;
        if (gelf_getshdr(s, &header) == NULL)
            continue;
        if (header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM)
            found = scan_symbols(elf, s, &header, name);
        const char *text = elf_strptr(elf, names, header.sh_name);
        if (section_name != NULL && text != NULL && strcmp(text, section_name) == 0)
            of_section = header.sh_addr;
    }
    (void)elf_end(elf);
    if (found == 0)
        found = of_section;
    return found != 0 ? found + image->bias : 0;
}
