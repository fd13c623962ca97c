/* What mgm.h never had: what the multicast group manager of this process has, and whether the kernel gets it. */
#ifndef TURNPIKE_MGM_H
#define TURNPIKE_MGM_H

#include <stdint.h>

#include <turnpike/api.h>

TP_BEGIN

/* Where forwarding entries go. */
#define TP_MGM_FORWARDER_MEMORY 1u /* they are computed and shown, and no packet is forwarded by them */

typedef struct TP_MGM_STATUS {
  uint32_t size;      /* of this structure as the caller knows it, set before the call; members may be added */
  uint32_t forwarder; /* TP_MGM_FORWARDER_… */
  uint64_t clients;
  uint64_t interfaces;
  uint64_t memberships;
  uint64_t entries;      /* multicast forwarding entries (MFEs) */
  uint64_t enumerations; /* of groups, that are open */
  /* These only rise. */
  uint64_t unknown_flows;       /* packets that no entry matched */
  uint64_t merged_flows;        /* of them, while their entry was made */
  uint64_t dropped_flows;       /* of them, that got no entry */
  uint64_t forwarder_refusals;  /* what the forwarder did not do; it is tried again */
  uint64_t alerts;              /* callbacks made */
  uint64_t alerts_left;         /* alerts that another thread said than the one that caused them */
  uint64_t alerts_lost;         /* for want of memory */
  uint64_t memberships_refused; /* beyond the bound */
} TP_MGM_STATUS;

/* Fills as much of the structure as its size says. 87 (ERROR_INVALID_PARAMETER): no structure, or not even room for its
 * first two members. 8 (ERROR_NOT_ENOUGH_MEMORY). Needs no registration. */
TP_API uint32_t TpMgmGetStatus(TP_MGM_STATUS* status) TP_NOEXCEPT;

TP_END

#endif
