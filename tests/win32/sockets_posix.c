/* A file that knows nothing of Winsock, in the same program. */
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

int plain_sockets(void);
int plain_sockets(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  const int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
  const int bound = bind(descriptor, (struct sockaddr*)&address, sizeof(address));
  return descriptor > 2 && descriptor < 1024 && bound == 0 && close(descriptor) == 0;
}
