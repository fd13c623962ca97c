#include "host_reports.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Records of IGMPv3 and MLDv2. */
enum { IS_INCLUDE = 1, IS_EXCLUDE, TO_INCLUDE, TO_EXCLUDE, ALLOW, BLOCK };

typedef struct listener {
  host_report_told told;
  void* context;
  int family;
  size_t width; /* of an address */
} listener;

static size_t number_at(const uint8_t* at) { return (size_t)at[0] << 8 | at[1]; }

/* Null for the source: any. */
static void tell(const listener* to, int joins, const uint8_t* group, const uint8_t* source) {
  host_report report;
  memset(&report, 0, sizeof report);
  report.family = to->family;
  report.joins = joins;
  memcpy(report.group, group, to->width);
  if (source) memcpy(report.source, source, to->width);
  to->told(to->context, &report);
}

/* The records of a report of IGMPv3 or MLDv2, which are alike: type, words of data, sources, group, sources, data. */
static void tell_records(const listener* to, const uint8_t* at, size_t left, size_t count) {
  for (; count > 0 && left >= 4 + to->width; --count) {
    const size_t sources = number_at(at + 2);
    const size_t size = 4 + to->width * (1 + sources) + 4 * (size_t)at[1];
    const uint8_t* group = at + 4;
    if (size > left) return;
    if (at[0] == IS_EXCLUDE || at[0] == TO_EXCLUDE) tell(to, 1, group, NULL);
    if (at[0] == TO_INCLUDE) tell(to, 0, group, NULL);
    for (size_t i = 1; i <= sources; ++i) {
      if (at[0] == IS_INCLUDE || at[0] == TO_INCLUDE || at[0] == ALLOW) tell(to, 1, group, group + i * to->width);
      if (at[0] == BLOCK) tell(to, 0, group, group + i * to->width);
    }
    at += size;
    left -= size;
  }
}

static void in_igmp(const listener* to, const uint8_t* at, size_t left) {
  if (left < 8) return;
  if (at[0] == 0x12 || at[0] == 0x16) tell(to, 1, at + 4, NULL);
  if (at[0] == 0x17) tell(to, 0, at + 4, NULL);
  if (at[0] == 0x22) tell_records(to, at + 8, left - 8, number_at(at + 6));
}

static void in_mld(const listener* to, const uint8_t* at, size_t left) {
  if (left < 8) return;
  if (at[0] == 143) tell_records(to, at + 8, left - 8, number_at(at + 6));
  if (left < 24) return;
  if (at[0] == 131) tell(to, 1, at + 8, NULL);
  if (at[0] == 132) tell(to, 0, at + 8, NULL);
}

void host_reports_in(const uint8_t* packet, size_t size, host_report_told told, void* context) {
  const listener four = {told, context, AF_INET, 4};
  const listener six = {told, context, AF_INET6, 16};
  if (size >= 20 && packet[0] >> 4 == 4) {
    const size_t header = 4 * (size_t)(packet[0] & 15);
    if (header >= 20 && size > header && packet[9] == 2) in_igmp(&four, packet + header, size - header);
  } else if (size >= 48 && packet[0] >> 4 == 6 && packet[6] == 0) { /* MLD has a router alert before it */
    const size_t header = 40 + 8 * (1 + (size_t)packet[41]);
    if (packet[40] == 58 && size > header) in_mld(&six, packet + header, size - header);
  }
}

int host_reports_open(const char* link) {
  const int opened = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  struct sockaddr_ll where;
  struct packet_mreq all;
  if (opened < 0) return -1;
  memset(&where, 0, sizeof where);
  where.sll_family = AF_PACKET;
  where.sll_protocol = htons(ETH_P_ALL);
  where.sll_ifindex = (int)if_nametoindex(link);
  memset(&all, 0, sizeof all);
  all.mr_ifindex = where.sll_ifindex;
  all.mr_type = PACKET_MR_ALLMULTI;
  if (where.sll_ifindex == 0 || setsockopt(opened, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all) != 0 ||
      bind(opened, (const struct sockaddr*)&where, sizeof where) != 0) {
    close(opened);
    return -1;
  }
  return opened;
}

int host_reports_read(int socket, host_report_told told, void* context) {
  uint8_t packet[2048];
  struct sockaddr_ll from;
  socklen_t room = sizeof from;
  const ssize_t size = recvfrom(socket, packet, sizeof packet, 0, (struct sockaddr*)&from, &room);
  if (size < 0) return 0;
  if (from.sll_pkttype != PACKET_OUTGOING) host_reports_in(packet, (size_t)size, told, context);
  return 1;
}
