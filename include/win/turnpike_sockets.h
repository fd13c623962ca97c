/* How Winsock and the sockets of Linux share one translation unit.
 *
 * Both have functions called socket, bind, send …; with <winsock2.h> included these names mean Winsock's, whichever of
 * the two came first. The symbols are Winsock's own (tp_bind), so other translation units are not touched.
 *
 * Usually Winsock comes first: then this file includes <sys/socket.h> with those names moved out of the way, and the
 * names are free. Nothing is a macro afterwards: a member called `send`, or std::bind, is what it was.
 *
 * Where <sys/socket.h> came first, its names are taken. In C++, Winsock's functions overload them: a SOCKET is no int.
 * Only `socket` itself, of the same parameters, is a macro there (with arguments). In C the names become macros without
 * arguments, so that members and variables of these names are renamed alike wherever they are spoken of; what breaks is
 * a structure with a member `send` that was declared before and is used behind: include <winsock2.h> first. (Macros
 * with arguments would rename a member where it is called and not where it is declared, in whatever order.)
 *
 * Four names are macros always, because <stdlib.h> alone brings Linux's: select (in C++ an overload), fd_set and its
 * FD_… macros, u_long (32 bits, as Winsock says) and, with <ws2tcpip.h>, socklen_t (an int). Linux headers that are
 * included behind see these meanings too; the ones that matter are included here, before. */
#ifndef TURNPIKE_SOCKETS_H
#define TURNPIKE_SOCKETS_H

#ifdef _SYS_SOCKET_H
#define TP_BESIDE_SOCKETS 1
#else
#define accept tp_posix_accept
#define bind tp_posix_bind
#define connect tp_posix_connect
#define getpeername tp_posix_getpeername
#define getsockname tp_posix_getsockname
#define getsockopt tp_posix_getsockopt
#define listen tp_posix_listen
#define recv tp_posix_recv
#define recvfrom tp_posix_recvfrom
#define send tp_posix_send
#define sendto tp_posix_sendto
#define setsockopt tp_posix_setsockopt
#define shutdown tp_posix_shutdown
#define socket tp_posix_socket
#include <sys/socket.h>
#undef accept
#undef bind
#undef connect
#undef getpeername
#undef getsockname
#undef getsockopt
#undef listen
#undef recv
#undef recvfrom
#undef send
#undef sendto
#undef setsockopt
#undef shutdown
#undef socket
#endif

/* The client's size of a set, which Linux's header would overwrite. */
#if defined(FD_SETSIZE) && !defined(_SYS_SELECT_H)
#define TP_FD_SETSIZE_CHOSEN 1
#pragma push_macro("FD_SETSIZE")
#undef FD_SETSIZE
#endif

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/types.h>
#include <unistd.h>

/* The kernel's family of headers and libc's exclude each other; whoever began with the kernel's stays with it. */
#if defined(_LINUX_IN_H) || defined(_LINUX_IN6_H)
#define TP_KERNEL_SOCKETS 1
#include <linux/in.h>
#include <linux/in6.h>
#else
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#endif

#ifdef TP_FD_SETSIZE_CHOSEN
#pragma pop_macro("FD_SETSIZE")
#elif FD_SETSIZE == __FD_SETSIZE
#undef FD_SETSIZE
#define FD_SETSIZE 64
#endif

#include "winerror.h"
#include "winnt.h"

typedef unsigned char u_char; /* as <sys/types.h> has them, unless the compiler is told to be strict */
typedef unsigned short u_short;
typedef unsigned int u_int;
#undef u_long
#define u_long ULONG

/* As wide as a handle, which it is: a number with a tag and a generation, so that one that was closed is refused for
 * ever, where a descriptor would long belong to another. */
typedef UINT_PTR SOCKET;
#define INVALID_SOCKET (~TP_CAST(SOCKET, 0))
#define SOCKET_ERROR (-1)
#define WSAAPI

#endif
