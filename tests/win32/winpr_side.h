/* What the test asks of the other portability layer in its process. */
#ifndef WINPR_SIDE_H
#define WINPR_SIDE_H

#ifdef __cplusplus
extern "C" {
#endif

/* A thread of WinPR's and two of its events: so many round trips; 0 if anything failed. */
int winpr_round_trips(int rounds);

/* WinPR's last error. */
unsigned winpr_last_error(void);
void winpr_set_last_error(unsigned error);

/* An event of WinPR's, its state, its end. */
void* winpr_event(void);
int winpr_is_signalled(void* event);
int winpr_set(void* event);
int winpr_close(void* event);

#ifdef __cplusplus
}
#endif

#endif
