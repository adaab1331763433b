/* Rules against names. */
#include "agent/selection.h"

#include <fnmatch.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"

struct rule {
    char kind[8];
    char *first, *second; /* "" where the kind has none */
};

unsigned hst_selection_version;
static struct rule *rules;
static size_t count, capacity;
static struct hst_map chosen; /* code -> 1, by hst_selection_add */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void add_rule(char *line)
{
    char *first = strchr(line, '\t');
    if (first == NULL || !HST_RESERVE(rules, capacity, count + 1))
        return;
    *first++ = '\0';
    char *second = strchr(first, '\t');
    if (second != NULL)
        *second++ = '\0';
    struct rule rule = {.first = hst_strdup(first), .second = hst_strdup(second != NULL ? second : "")};
    (void)snprintf(rule.kind, sizeof rule.kind, "%.7s", line);
    if (rule.first != NULL && rule.second != NULL)
        rules[count++] = rule;
}

int hst_selection_read(const char *path)
{
    char line[8192];
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        add_rule(line);
    }
    (void)fclose(file);
    return 1;
}

void hst_selection_add(PyObject *code)
{
    (void)pthread_mutex_lock(&lock);
    if (hst_map_set(&chosen, (uint64_t)(uintptr_t)code, 1))
        hst_python.Py_IncRef(code); /* its address stays its own */
    hst_selection_version++;
    (void)pthread_mutex_unlock(&lock);
}

PyObject *hst_code_of_callable(PyObject *callable)
{
    static const char *const steps[] = {"__wrapped__", "__func__", "fget"};
    PyObject *at = callable, *code = NULL;
    hst_python.Py_IncRef(at);
    for (int depth = 0; at != NULL && depth < 16; depth++) {
        PyObject *next = NULL;
        for (size_t i = 0; i < sizeof steps / sizeof steps[0] && next == NULL; i++) {
            next = hst_python.PyObject_GetAttrString(at, steps[i]);
            hst_python.PyErr_Clear();
        }
        if (next == NULL) {
            code = hst_python.PyObject_GetAttrString(at, "__code__");
            hst_python.PyErr_Clear();
        }
        hst_python.Py_DecRef(at);
        at = next;
    }
    if (at != NULL)
        hst_python.Py_DecRef(at);
    return code;
}

int hst_selection_has_rules(void) { return count > 0; }

static int is_chosen(PyObject *code)
{
    (void)pthread_mutex_lock(&lock);
    int found = hst_map_find(&chosen, (uint64_t)(uintptr_t)code) != HST_MAP_ABSENT;
    (void)pthread_mutex_unlock(&lock);
    return found;
}

/* An attribute as text, cut to size; "" when it is none. */
static void text_of(PyObject *code, const char *name, char *into, size_t size)
{
    PyObject *value = hst_python.PyObject_GetAttrString(code, name);
    ssize_t length = 0;
    const char *data = value != NULL ? hst_python.PyUnicode_AsUTF8AndSize(value, &length) : NULL;
    (void)snprintf(into, size, "%s", data != NULL ? data : "");
    if (value != NULL)
        hst_python.Py_DecRef(value);
    hst_python.PyErr_Clear();
}

static long line_of(PyObject *code)
{
    PyObject *value = hst_python.PyObject_GetAttrString(code, "co_firstlineno");
    long line = value != NULL ? hst_python.PyLong_AsLong(value) : 0;
    if (value != NULL)
        hst_python.Py_DecRef(value);
    hst_python.PyErr_Clear();
    return line;
}

static int ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), wanted = strlen(end);
    return length >= wanted && strcmp(text + length - wanted, end) == 0 &&
           (length == wanted || wanted == 0 || end[0] == '/' || text[length - wanted - 1] == '/');
}

/* "Class.method" also where only the last part is known (to 3.10), and "method" for any class's. */
static int name_matches(const char *pattern, const char *name, const char *qualname)
{
    const char *last = strrchr(pattern, '.');
    return fnmatch(pattern, qualname, 0) == 0 || fnmatch(pattern, name, 0) == 0 ||
           (hst_python.abi.minor <= 10 && last != NULL && fnmatch(last + 1, name, 0) == 0);
}

static int is_below(const char *file, const char *folder)
{
    size_t length = strlen(folder);
    return strncmp(file, folder, length) == 0 && file[length] == '/' &&
           strstr(file, "/site-packages/") == NULL && strstr(file, "/dist-packages/") == NULL &&
           strstr(file, "/lib/python3") == NULL;
}

static int rule_matches(const struct rule *rule, PyObject *code, const char *file, const char *name,
                        const char *qualname)
{
    if (strcmp(rule->kind, "exact") == 0)
        return strcmp(file, rule->first) == 0 && line_of(code) == strtol(rule->second, NULL, 10);
    if (strcmp(rule->kind, "name") == 0)
        return ends_with(file, rule->first) && name_matches(rule->second, name, qualname);
    return strcmp(rule->kind, "below") == 0 && is_below(file, rule->first);
}

int hst_selection_has(PyObject *code)
{
    char file[4096], name[1024], qualname[1024];
    if (is_chosen(code))
        return 1;
    if (count == 0)
        return 0;
    PyObject *type, *value, *traceback;
    hst_python.PyErr_Fetch(&type, &value, &traceback);
    text_of(code, "co_filename", file, sizeof file);
    text_of(code, "co_name", name, sizeof name);
    text_of(code, hst_python.abi.minor >= 11 ? "co_qualname" : "co_name", qualname, sizeof qualname);
    int found = 0;
    for (size_t i = 0; i < count && !found; i++)
        found = rule_matches(&rules[i], code, file, name, qualname);
    hst_python.PyErr_Restore(type, value, traceback);
    return found;
}
