/* LD_PRELOAD and HASTEN_AGENT; finds the agent where it was built, or where it is installed. */
#include "capture/agent_env.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "event/agent_map.h"

#define AGENT_NAME "hasten_agent.so"
#ifndef HST_AGENT_FOLDER
#define HST_AGENT_FOLDER "lib/hasten" /* below the prefix: meson.build knows */
#endif

/* A wheel puts it into the package, which may be there for several versions; it is the same for all. */
static int find_agent_of_package(const char *own, char *path, size_t size)
{
    glob_t found = {0};
    (void)snprintf(path, size, "%s/../lib*/python3*/*-packages/hasten/_agent.so", own);
    int good = glob(path, 0, NULL, &found) == 0 && found.gl_pathc > 0 && strlen(found.gl_pathv[0]) < size;
    if (good)
        (void)snprintf(path, size, "%s", found.gl_pathv[0]);
    globfree(&found);
    return good;
}

/* Beside the command in the tree where it was built, else where it is installed. */
static enum hst_status find_agent(char *path, size_t size, struct hst_error *err)
{
    char own[512];
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
    own[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(own, '/');
    if (slash != NULL)
        *slash = '\0';
    static const char *const places[] = {"src/agent/" AGENT_NAME, "../" HST_AGENT_FOLDER "/" AGENT_NAME,
                                         "../lib/hasten/" AGENT_NAME,
                                         "../hasten/_agent.so" /* a wheel with its libraries */};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(places); i++) {
        (void)snprintf(path, size, "%s/%s", own, places[i]);
        if (access(path, R_OK) == 0)
            return HST_OK;
    }
    if (find_agent_of_package(own, path, size))
        return HST_OK;
    (void)hst_error_set(err, HST_E_NOENT,
                        "the part of hasten that works inside the program, " AGENT_NAME
                        ", is not where it should be: %s/%s",
                        own, places[1]);
    hst_error_hint(err, "install hasten again: ./dev install --prefix DIR");
    return HST_E_NOENT;
}

enum hst_status hst_agent_env_set(const char *order, struct hst_error *err)
{
    char agent[640];
    HST_TRY(find_agent(agent, sizeof agent, err));
    const char *others = getenv("LD_PRELOAD");
    int has_others = others != NULL && others[0] != '\0';
    HST_CLEANUP_FREE char *preload =
        hst_asprintf("%s%s%s", agent, has_others ? ":" : "", has_others ? others : "");
    if (preload == NULL || setenv("LD_PRELOAD", preload, 1) != 0 || setenv(HST_AGENT_VARIABLE, order, 1) != 0)
        return hst_error_set(err, HST_E_NOMEM, "out of memory");
    return HST_OK;
}
