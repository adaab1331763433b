/* The environment in which a program starts with the agent in it. */
#ifndef HST_CAPTURE_AGENT_ENV_H
#define HST_CAPTURE_AGENT_ENV_H

#include "base/status.h"

/* For all programs that this process starts from now on. order: what the agent is to do (agent/order.h). */
enum hst_status hst_agent_env_set(const char *order, struct hst_error *err) HST_MUST_CHECK;

#endif
