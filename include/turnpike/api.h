/* What marks a function of the library: C linkage, visible. Every public header of Turnpike's own begins and ends its
 * declarations with TP_BEGIN and TP_END. */
#ifndef TURNPIKE_API_H
#define TURNPIKE_API_H

#define TP_API __attribute__((visibility("default")))

#ifdef __cplusplus
#define TP_BEGIN extern "C" {
#define TP_END }
#define TP_NOEXCEPT noexcept
#else
#define TP_BEGIN
#define TP_END
#define TP_NOEXCEPT
#endif

#endif
