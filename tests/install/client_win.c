/* Code written against the documented headers, which knows nothing of Turnpike. */
#include <Mgm.h>
#include <RtmV2.h>
#include <WINERROR.H>
#include <stdio.h>

int main(void) {
  RTM_NET_ADDRESS address = {0};
  address.AddressFamily = 2;
  printf("%u %lu\n", (unsigned)address.AddressFamily, (unsigned long)ERROR_NOT_SUPPORTED);
  return 0;
}
