/*
 * guard.h: nothing but 0 and 75 (DESIGN.md section 7).
 *
 * MTAs bounce on 1, 64, 70, 73, 74 and 78, some on a signal too, and a bounce that bounces is gone.
 * In guarded mode every way out that is not a success is exit 75: fatal signals, abort() (GLib and
 * memory.c out of memory), and our own deadline.
 */
#ifndef BACKSTOP_BASE_GUARD_H
#define BACKSTOP_BASE_GUARD_H

#include <setjmp.h>

#define GUARD_TEMPFAIL 75

/* Turns fatal signals into _exit(75) and ignores SIGPIPE and SIGXFSZ. Call first in main. */
void guard_enter(void);

/* Past seconds of wall clock from now, the process ends with 75 and one line on standard error.
 * 0 clears it. Covers waits that have no time-out of their own, such as LMDB's write lock. */
void guard_set_deadline(unsigned seconds);

/* For commands, which have no deadline: what may wait for another process without end stands
 * between guard_wait_begin and guard_wait_end, and after that many seconds of it the process says
 * so and ends with 75, having changed nothing. Without this call, or with a deadline, they do
 * nothing. */
void guard_limit_waits(unsigned seconds);
void guard_wait_begin(void);
void guard_wait_end(void);

/* From here on the message is safe: filed, or handed over with a checked exit status. Whatever ends
 * the process now, ends it with 0: 75 would have the mail server deliver it once more at each
 * attempt. What is lost is the record of it. */
void guard_message_is_safe(void);

/* A fault (SIGSEGV, SIGBUS, SIGFPE, SIGABRT) from here on returns to place, which sigsetjmp(place,
 * 0) filled, instead of ending the process; NULL: no more. For reading a file that is mapped and
 * may be damaged: whatever the code between had in its hands is lost, so it must not be used again.
 */
void guard_catch_faults(sigjmp_buf *place);

/* What SIGABRT would do, without raising it. Does not return. */
_Noreturn void guard_fault(void);

#endif
