/* What linux.c and memory.c both ask of /proc. */
#ifndef SABWAY_LINUX_PROC_H
#define SABWAY_LINUX_PROC_H

/* Is /proc there, and do the numbers in it mean the same processes as for kill? In a new pid
 * namespace it is the old one's until it is mounted anew. Any thread. */
int swi_proc_is_ours(void);

#endif
