// Linux's headers before Winsock's, in C++: overloads.
#include <sys/socket.h>
// What the client below has of it.
#include <winsock2.h>
#include <ws2tcpip.h>

#include <functional>

#pragma GCC diagnostic ignored "-Wold-style-cast"
#include "sockets_client.inc"

int winsock_last_in_cpp();
int winsock_last_in_cpp() { return use_winsock(); }
