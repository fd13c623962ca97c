/* IN6_ADDR is Linux's own struct in6_addr, so that addresses pass between both kinds of call. Its union has other
 * member names than on Windows: s6_bytes and s6_words work here, `u.Byte` does not.
 *
 * The kernel's <linux/in6.h> and libc's <netinet/in.h> define the same structure; where the client began with the
 * kernel's family, libc's would clash with it. */
#ifndef _IN6ADDR_H_
#define _IN6ADDR_H_

#if defined(_LINUX_IN_H) || defined(_LINUX_IN6_H)
#include <linux/in6.h>
#else
#include <netinet/in.h>
#endif

typedef struct in6_addr IN6_ADDR, *PIN6_ADDR, *LPIN6_ADDR;

#ifndef s6_bytes
#define s6_bytes s6_addr
#endif
#ifndef s6_words
#define s6_words s6_addr16
#endif

#endif
