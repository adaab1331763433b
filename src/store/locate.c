/* Where the store is: what was asked for, what the environment says, or the project's own folder. */
#include "store/store.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

#define FILE_NAME "runs.db"

static int is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* A file as it is named; in a folder, the usual file.  A name that ends in a slash means a folder even if it
 * is not there yet. */
static char *file_or_folder(const char *path)
{
    size_t length = strlen(path);
    if (path[length - 1] == '/')
        return hst_asprintf("%s" FILE_NAME, path);
    return is_folder(path) ? hst_asprintf("%s/" FILE_NAME, path) : hst_strdup(path);
}

static int has_entry(const char *folder, const char *name, int *ret_nomem)
{
    struct stat info;
    HST_CLEANUP_FREE char *path = hst_asprintf("%s/%s", folder, name);
    if (path == NULL)
        *ret_nomem = 1;
    return path != NULL && lstat(path, &info) == 0;
}

char *hst_store_locate(const char *option, const char *directory)
{
    if (option != NULL && option[0] != '\0')
        return file_or_folder(option);
    const char *variable = getenv("HASTEN_STORE");
    if (variable != NULL && variable[0] != '\0')
        return file_or_folder(variable);

    HST_CLEANUP_FREE char *start = realpath(directory[0] != '\0' ? directory : ".", NULL);
    if (start == NULL)
        start = hst_strdup(directory);
    HST_CLEANUP_FREE char *folder = start != NULL ? hst_strdup(start) : NULL;
    if (folder == NULL)
        return NULL;
    for (;;) {
        int nomem = 0;
        if (has_entry(folder, "pyproject.toml", &nomem) || has_entry(folder, ".git", &nomem))
            return hst_asprintf("%s/.hasten/" FILE_NAME, folder);
        char *slash = strrchr(folder, '/');
        if (nomem)
            return NULL;
        if (slash == NULL || folder[0] == '\0')
            break;
        *slash = '\0'; /* at last "", the root, whose entries are "/name" */
    }
    return hst_asprintf("%s/.hasten/" FILE_NAME, strcmp(start, "/") == 0 ? "" : start);
}
