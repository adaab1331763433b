/* What the tracer itself costs, on this CPU and this interpreter, now. */
#ifndef HST_AGENT_CALIBRATE_H
#define HST_AGENT_CALIBRATE_H

/* Runs small loops of calls without the tracer and under it, and writes into the arena's header what of a
 * call's cost is measured as the caller's time and what as the callee's.  arm and disarm: of the back end.
 * Takes a few milliseconds.  0: the loops could not be run. */
int hst_calibrate(int (*arm)(int python_only), void (*disarm)(void), int python_only);

/* The same of lines: what watching a line costs. Nothing may be chosen yet. */
int hst_calibrate_lines(int (*arm)(int unused), void (*disarm)(void));

#endif
