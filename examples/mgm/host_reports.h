/* What hosts on a link want, read from their reports: IGMP versions 1 to 3, MLD versions 1 and 2.
 *
 * This is the least that makes a report a join or a leave. It asks nobody and lets nothing expire, so a host that falls
 * silent is wanted for as long as the reader runs: a router's IGMP does more. */
#ifndef TURNPIKE_EXAMPLES_HOST_REPORTS_H
#define TURNPIKE_EXAMPLES_HOST_REPORTS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct host_report {
  int family; /* AF_INET or AF_INET6 */
  int joins;  /* or leaves */
  uint8_t group[16];
  uint8_t source[16]; /* all zero: any */
} host_report;

typedef void (*host_report_told)(void* context, const host_report* report);

/* A socket that hears every report on a link; -1 with errno. It takes CAP_NET_RAW. */
int host_reports_open(const char* link);

/* Tells what is in one waiting packet. Returns 1, or 0 where none waits. */
int host_reports_read(int socket, host_report_told told, void* context);

/* Tells what is in a packet, from its IP header on. What is cut off or no report tells nothing. */
void host_reports_in(const uint8_t* packet, size_t size, host_report_told told, void* context);

#ifdef __cplusplus
}
#endif

#endif
