/* Makes folders for stores, and hands them over to the user whose place it is. */
#include "store/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "store/database.h"

/* Looked at and changed through one descriptor, never through the name: the folder's owner could put a link
 * in its place, and a second name of another file has a link count of two. */
void hst_store_hand_over(const char *path)
{
    struct stat folder, made;
    HST_CLEANUP_FREE char *name = hst_strdup(path);
    if (geteuid() != 0 || name == NULL)
        return;
    char *slash = strrchr(name, '/');
    if (slash != NULL)
        slash[slash == name] = '\0';
    if (stat(slash != NULL ? name : ".", &folder) != 0 || folder.st_uid == 0)
        return;
    HST_CLEANUP_FD int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &made) != 0 || made.st_uid != 0)
        return;
    if (S_ISDIR(made.st_mode) || (S_ISREG(made.st_mode) && made.st_nlink == 1))
        (void)!fchown(fd, folder.st_uid, folder.st_gid); /* as good as it was, if that fails */
}

static enum hst_status make_one(const char *folder, struct hst_error *err)
{
    if (mkdir(folder, 0777) != 0) {
        int number = errno;
        if (number == EEXIST)
            return HST_OK;
        (void)hst_error_set(err, hst_status_from_errno(number), "cannot make the folder %s: %s", folder,
                            strerror(number));
        hst_error_hint(err, "name a place that can be written with --store FILE");
        return hst_status_from_errno(number);
    }
    hst_store_hand_over(folder);
    const char *name = strrchr(folder, '/');
    if (strcmp(name != NULL ? name + 1 : folder, ".hasten") != 0)
        return HST_OK;
    HST_CLEANUP_FREE char *ignore = hst_asprintf("%s/.gitignore", folder);
    if (ignore == NULL)
        return hst_store_nomem(err);
    HST_TRY(hst_file_write(ignore, "*\n", 2, err));
    hst_store_hand_over(ignore);
    return HST_OK;
}

enum hst_status hst_store_folder_make(const char *path, struct hst_error *err)
{
    HST_CLEANUP_FREE char *folder = hst_strdup(path);
    if (folder == NULL)
        return hst_store_nomem(err);
    for (char *slash = strchr(folder + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        HST_TRY(make_one(folder, err));
        *slash = '/';
    }
    return HST_OK;
}
