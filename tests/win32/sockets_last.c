/* Linux's headers before Winsock's. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <windows.h>
#include <winsock2.h>
#include <ws2tcpip.h>

#include "sockets_client.inc"

int winsock_last(void);
int winsock_last(void) { return use_winsock(); }
