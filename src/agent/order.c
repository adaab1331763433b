/* Takes the words apart. */
#include "agent/order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int hst_agent_order_read(const char *text, struct hst_agent_order *ret_order)
{
    struct hst_agent_order order = {.clock = -1};
    while (text != NULL && *text != '\0') {
        int length = (int)strcspn(text, ";");
        if (strncmp(text, "folder=", 7) == 0 && length - 7 < (int)sizeof order.folder)
            (void)snprintf(order.folder, sizeof order.folder, "%.*s", length - 7, text + 7);
        else if (strncmp(text, "stop_for=", 9) == 0)
            order.stop_for = (int)strtol(text + 9, NULL, 10);
        else if (strncmp(text, "python_only=", 12) == 0)
            order.python_only = text[12] == '1';
        else if (strncmp(text, "depth=", 6) == 0)
            order.depth = (uint32_t)strtoul(text + 6, NULL, 10);
        else if (strncmp(text, "timeline=", 9) == 0)
            order.timeline = (uint32_t)strtoul(text + 9, NULL, 10);
        else if (strncmp(text, "lines=", 6) == 0)
            order.lines = text[6] == '1';
        else if (strncmp(text, "scoped=", 7) == 0)
            order.scoped = text[7] == '1';
        else if (strncmp(text, "paused=", 7) == 0)
            order.paused = text[7] == '1';
        else if (strncmp(text, "toggle=", 7) == 0)
            order.toggle = (int)strtol(text + 7, NULL, 10);
        else if (strncmp(text, "backend=", 8) == 0)
            order.backend = (enum hst_agent_backend)strtoul(text + 8, NULL, 10);
        else if (strncmp(text, "clock=", 6) == 0)
            order.clock = text[6] == '0' + HST_AGENT_CLOCK_TSC ? HST_AGENT_CLOCK_TSC : HST_AGENT_CLOCK_SYSTEM;
        text += length;
        text += *text == ';';
    }
    if ((order.folder[0] == '\0' && order.stop_for == 0) || order.backend >= HST_AGENT_BACKEND_COUNT)
        return 0;
    *ret_order = order;
    return 1;
}
