/* The folder that a store lies in, and whose a new store is.  Only for src/store. */
#ifndef HST_STORE_FOLDER_H
#define HST_STORE_FOLDER_H

#include "base/status.h"

/* Makes the folder of path, and those above it; a .gitignore goes into a new folder that is called .hasten.
 */
enum hst_status hst_store_folder_make(const char *path, struct hst_error *err) HST_MUST_CHECK;

/* What root made in a folder of somebody else's becomes that user's (`sudo hasten attach` in one's own
 * project would leave a store that one cannot write).  Nothing happens when hasten is not root, or the folder
 * is root's, or path is not a new file or folder of root's own. */
void hst_store_hand_over(const char *path);

#endif
