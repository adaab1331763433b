/* What hasten asks the agent to do: the words of the environment variable HASTEN_AGENT. */
#ifndef HST_AGENT_ORDER_H
#define HST_AGENT_ORDER_H

#include "event/agent_map.h"

struct hst_agent_order {
    char folder[512]; /* where the file of every process goes */
    int stop_for;     /* measure nothing; stand still at the end for this process (at_exit.h); 0: no */
    int lines;  /* of chosen functions (selection.h), instead of calls; their rules are in folder/rules */
    int scoped; /* lines count only in threads that have entered (liner.h) */
    int python_only;
    int paused;                     /* wait for hst_measure_resume */
    int toggle;                     /* number of the signal that pauses and resumes; 0: none does */
    uint32_t depth;                 /* calls below it are not seen; 0: all are */
    uint32_t timeline;              /* chunks of events that may wait to be taken; 0: no timeline is kept */
    int clock;                      /* enum hst_agent_clock; -1: to be found out */
    enum hst_agent_backend backend; /* NONE: the cheapest */
};

/* 0: there is no order, or none that can be understood. */
int hst_agent_order_read(const char *text, struct hst_agent_order *ret_order);

#endif
