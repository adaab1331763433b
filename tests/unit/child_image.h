/* A child process that plants what a test wants to find, says what on a pipe, and waits, and a copy of its
 * memory. */
#ifndef HST_TEST_CHILD_IMAGE_H
#define HST_TEST_CHILD_IMAGE_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "heap/image.h"

struct child_image {
    int pid;
    struct hst_maps maps;
    struct hst_memory *memory;
    struct hst_image image;
};

/* plant writes length bytes to fd, which come to said. */
static inline void child_image_take(struct child_image *child, void (*plant)(int fd), void *said,
                                    size_t length)
{
    int ends[2];
    *child = (struct child_image){0};
    assert_int_equal(pipe(ends), 0);
    child->pid = fork();
    if (child->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        plant(ends[1]);
        for (;;)
            (void)pause();
    }
    assert_true(child->pid > 0);
    for (size_t done = 0; done < length;) {
        ssize_t got = read(ends[0], (char *)said + done, length - done);
        assert_true(got > 0);
        done += (size_t)got;
    }
    (void)close(ends[0]);
    (void)close(ends[1]);
    assert_int_equal(hst_maps_read(child->pid, &child->maps), HST_OK);
    assert_int_equal(hst_memory_live(child->pid, &child->memory), HST_OK);
    assert_int_equal(hst_image_take(child->pid, &child->maps, child->memory, NULL, &child->image), HST_OK);
}

static inline void child_image_release(struct child_image *child)
{
    hst_image_release(&child->image);
    hst_memory_free(child->memory);
    hst_maps_release(&child->maps);
    (void)kill(child->pid, SIGKILL);
    (void)waitpid(child->pid, NULL, 0);
}

#endif
