/* What a person chose so far, and what each key changes in it. Knows no terminal. */
#ifndef HST_CLI_TOP_KEYS_H
#define HST_CLI_TOP_KEYS_H

#include "report/top_table.h"

struct hst_top_choices {
    struct hst_top_choice choice;
    enum hst_top_view before_threads; /* where t leads back to */
    int frozen, help, typing;
    size_t first_row;
    size_t page_rows, row_count; /* of the last page that was drawn */
};

/* What has to be done after a key. */
enum hst_top_wish {
    HST_TOP_WISH_NOTHING,
    HST_TOP_WISH_DRAW,    /* the same rows, another part or look */
    HST_TOP_WISH_ARRANGE, /* other rows or another order of the same figures */
    HST_TOP_WISH_MAKE,    /* other figures */
    HST_TOP_WISH_RESET,   /* count anew */
    HST_TOP_WISH_SUSPEND,
    HST_TOP_WISH_QUIT,
};
enum hst_top_wish hst_top_choices_key(struct hst_top_choices *choices, int key);

#endif
