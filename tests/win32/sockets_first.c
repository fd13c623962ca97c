/* Winsock's headers before Linux's: nothing is a macro. */
#include <windows.h>
#include <winsock2.h>
#include <ws2tcpip.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef send
#error "send is a macro"
#endif

#include "sockets_client.inc"

int winsock_first(void);
int winsock_first(void) { return use_winsock(); }
