/* The tables of heap_query as SQLite sees them. Used by heap_query only. */
#ifndef HST_ANALYZE_HEAP_QUERY_TABLES_H
#define HST_ANALYZE_HEAP_QUERY_TABLES_H

#include <sqlite3.h>

#include "analyze/heap_view.h"

/* Registers them; view must live as long as the database is open. An SQLite result code. */
int hst_heap_query_tables_register(sqlite3 *database, struct hst_heap_view *view);

#endif
