/* What a fuzz harness is: one function that takes any bytes and comes back. libFuzzer calls it (meson option
 * fuzzers), or driver.c over a folder of inputs. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv); /* may be absent */

/* A promise of the code under test; breaking it is a finding. */
#define FUZZ_REQUIRE(condition)                                                                              \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            (void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                    \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

/* Bytes of an input, taken from its front; zeros when it is used up. */
struct fuzz_input {
    const uint8_t *at;
    size_t left;
};

static inline const uint8_t *fuzz_take(struct fuzz_input *input, size_t wanted, size_t *ret_length)
{
    const uint8_t *at = input->at;
    *ret_length = wanted < input->left ? wanted : input->left;
    input->at += *ret_length;
    input->left -= *ret_length;
    return at;
}

static inline uint64_t fuzz_number(struct fuzz_input *input, size_t bytes)
{
    size_t length;
    const uint8_t *at = fuzz_take(input, bytes, &length);
    uint64_t value = 0;
    for (size_t i = 0; i < length; i++)
        value |= (uint64_t)at[i] << 8 * i;
    return value;
}

#endif
