/* Programs that set a profile function of their own, in Python. */
#ifndef HST_AGENT_SETPROFILE_H
#define HST_AGENT_SETPROFILE_H

/* In an interpreter that is traced from now on: such a function sees what it would see without that. */
void hst_setprofile_hide(void);

#endif
