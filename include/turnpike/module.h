/* How a routing protocol's module describes its settings, so that an operator can write them.
 *
 * The router hands a protocol its configuration as information blocks: bytes that only the protocol understands. A
 * module that says once, in a table, what those bytes are gets everything else from the router: keys in the
 * configuration file, each checked with its position; `turnpiked --check` and reload; the same settings on the command
 * line, as JSON and in the manual page.
 *
 *   typedef struct HELLO_CONFIG {
 *     uint32_t interval;
 *     uint32_t ttl;
 *   } HELLO_CONFIG;
 *
 *   static const TpSetting settings[] = {
 *       {.name = "interval", .help = "How often a greeting is sent.", .fallback = "10s", .type = TP_SETTING_DURATION,
 *        TP_SETTING_AT(HELLO_CONFIG, interval), .least = 1000, .most = 3600000},
 *       {.name = "ttl", .help = "How far it goes.", .fallback = "1", .type = TP_SETTING_UNSIGNED,
 *        TP_SETTING_AT(HELLO_CONFIG, ttl), .least = 1, .most = 255},
 *   };
 *   static const TpSettings on_interface = {sizeof(HELLO_CONFIG), 2, settings};
 *   static const TpModule hello = {
 *       .protocol_id = PROTO_IP_OTHER, .name = "hello", .version = "1.0", .summary = "Greets neighbours",
 *       .transport = TP_MODULE_IP, .interface_settings = &on_interface};
 *   TP_MODULE_LIBRARY(&hello, 1);
 *
 * In the operator's file:
 *
 *   [protocol.hello]
 *   [interface.eth0.hello]
 *   interval = "30s"
 *
 * The module gets the block {30000, 1} in AddInterface: StructureVersion 1, StructureSize 8, StructureCount 1. A block
 * is a structure of `size` bytes, then what its lists hold; its size is that of both. What no setting covers is zero.
 *
 * A module without a description works as well: its blocks are written as bytes (`raw = "0a 00 …"`, see
 * turnpike.toml(5)), and so are those of one whose description the router refuses, for a reason that it logs.
 *
 * Works in C11 and C++20. The structures are part of TP_MODULE_API 1, and do not change within it. */
#ifndef TURNPIKE_MODULE_H
#define TURNPIKE_MODULE_H

#include <stddef.h>
#include <stdint.h>

#include <turnpike/api.h>

TP_BEGIN

#define TP_MODULE_API 1u

/* What a setting is: how it is written in the file, and what stands in the block. Integers are in host order. */
#define TP_SETTING_FLAG 1u     /* true, false; 1 or 0 in 1, 2 or 4 bytes (a BOOL has 4) */
#define TP_SETTING_SIGNED 2u   /* -5; in 1, 2, 4 or 8 bytes */
#define TP_SETTING_UNSIGNED 3u /* 5; in 1, 2, 4 or 8 bytes, at most 2^63 - 1 */
#define TP_SETTING_CHOICE 4u   /* one of the names in `choices`; its value in 1, 2 or 4 bytes */
#define TP_SETTING_DURATION 5u /* "250ms", "30s", "5m", "2h", "1d"; milliseconds in 4 or 8 bytes */
#define TP_SETTING_TEXT 6u     /* "…"; UTF-8 without control characters, closed by a NUL and filled up with zeros */
#define TP_SETTING_WIDE 7u     /* the same as wchar_t */
#define TP_SETTING_IPV4 8u     /* "192.0.2.1"; 4 bytes in network order, as an in_addr or a DWORD */
#define TP_SETTING_IPV6 9u     /* "2001:db8::1"; 16 bytes */
#define TP_SETTING_ADDRESS 10u /* an address of either family: a TpModuleAddress */
#define TP_SETTING_PREFIX 11u  /* "192.0.2.0/24", nothing set behind the prefix: a TpModuleAddress */
#define TP_SETTING_LIST 12u    /* as many as the operator writes: a TpModuleList, see below */

/* The file must say it: there is no default. */
#define TP_SETTING_REQUIRED 0x1u
/* Never printed: a password. */
#define TP_SETTING_SECRET 0x2u

/* All zero (family 0) where an optional one is not written. Laid out as RTM_NET_ADDRESS. */
typedef struct TpModuleAddress {
  uint16_t family; /* AF_INET or AF_INET6 */
  uint16_t bits;   /* of a prefix; 32 or 128 for an address */
  uint8_t address[16];
} TpModuleAddress;

/* A list in a block: `count` elements of `list->size` bytes each, the first of them `offset` bytes from the start of
 * the block, a multiple of 8. Elements may have lists in their turn, whose offsets also count from the start of the
 * block. An empty list is {0, 0}.
 *
 * In the file a list `route` is an array of tables, [[protocol.NAME.route]]. Where `list` has one setting only and its
 * name is "", it is an array of plain values: neighbours = ["192.0.2.1", "192.0.2.2"]. */
typedef struct TpModuleList {
  uint32_t offset;
  uint32_t count;
} TpModuleList;

typedef struct TpSettingChoice {
  const char* name;
  const char* help; /* may be null */
  uint32_t value;
} TpSettingChoice;

struct TpSettings;

typedef struct TpSetting {
  const char* name;     /* the key: a lower-case letter, then letters, digits, "_" and "-"; 40 at most */
  const char* help;     /* for the manual: one sentence or several */
  const char* fallback; /* what holds where the file says nothing, written as in the file but without quotes: "10",
                         * "30s", "true", "192.0.2.1". Null: zero, empty, none. None for a list. */
  uint32_t type;        /* TP_SETTING_… */
  uint32_t flags;
  uint32_t offset; /* in the structure; with `size` given by TP_SETTING_AT */
  uint32_t size;
  int64_t least, most; /* bounds of a number, of a duration in milliseconds, of how many elements a list has. Both 0:
                        * what the bytes hold (a list: 1,048,576 elements) */
  const TpSettingChoice* choices; /* of TP_SETTING_CHOICE: `choice_count` of them */
  uint32_t choice_count;
  uint32_t reserved;
  const struct TpSettings* list; /* of TP_SETTING_LIST: what an element is. Lists in lists: three deep at most */
} TpSetting;

/* Names the member of a structure that holds a setting. */
#ifdef __cplusplus
#define TP_SETTING_AT(Structure, Member) .offset = offsetof(Structure, Member), .size = sizeof(Structure::Member)
#else
#define TP_SETTING_AT(Structure, Member) \
  .offset = offsetof(Structure, Member), .size = sizeof(((const Structure*)0)->Member)
#endif

typedef struct TpSettings {
  uint32_t size;  /* of the structure: at most 65,536 */
  uint32_t count; /* at most 256 */
  const TpSetting* settings;
} TpSettings;

/* The transport whose router manager runs a protocol, and whose interfaces and addresses it is told of (PID_IP and
 * PID_IPV6). For which family it makes routes is its own affair. */
#define TP_MODULE_IP 0x21u
#define TP_MODULE_IPV6 0x57u

/* Says what is wrong with a block. `where` names the setting, "route[3].via", elements counted from 0: the operator is
 * shown the place in his file. Null or empty: the block as a whole. May be called several times. */
typedef void (*TpModuleComplain)(void* context, const char* where, const char* what);

/* Judges what bounds cannot say: how settings go together. Called with blocks that the table has passed, before the
 * protocol is started or gets them, and without it (`turnpiked --check`): it must touch nothing but its arguments.
 * No complaint: the block is right. */
typedef void (*TpModuleCheck)(const void* block, uint32_t size, TpModuleComplain complain, void* context);

/* A protocol. */
typedef struct TpModule {
  uint32_t protocol_id; /* dwProtocolId, as RegisterProtocol gets it */
  uint32_t transport;   /* TP_MODULE_… */
  const char* name;     /* its name in the file, formed as a setting's; not one of: enabled, type, transports */
  const char* version;  /* of the module, for people */
  const char* summary;  /* one line for the manual */
  const TpSettings* global_settings;    /* null: it has none, and gets four zero bytes */
  const TpSettings* interface_settings; /* null: the same */
  TpModuleCheck check_global;           /* both may be null */
  TpModuleCheck check_interface;
} TpModule;

/* Protocols of one library, at most 64. Settings of these names are the router's own, and a protocol has none of them:
 * library, id, transport, enabled, raw, base64, file. */
typedef struct TpModuleLibrary {
  uint32_t api; /* TP_MODULE_API */
  uint32_t count;
  const TpModule* modules;
} TpModuleLibrary;

/* The symbol that a library exports, beside RegisterProtocol: data, read before any function of the library is called.
 * It stands in one source file of the library, at file scope. */
#define TP_MODULE_SYMBOL "TpModuleLibraryDescription"
#ifdef __cplusplus
#define TP_MODULE_LIBRARY(Modules, Count)                             \
  extern "C" TP_API const TpModuleLibrary TpModuleLibraryDescription; \
  const TpModuleLibrary TpModuleLibraryDescription = {TP_MODULE_API, (Count), (Modules)}
#else
#define TP_MODULE_LIBRARY(Modules, Count)                         \
  extern TP_API const TpModuleLibrary TpModuleLibraryDescription; \
  const TpModuleLibrary TpModuleLibraryDescription = {TP_MODULE_API, (Count), (Modules)}
#endif

/* What a protocol answers by its MIB functions, in the same tables, so that `turnpike show protocol NAME` can show it:
 * MibGet, asked with an input of no bytes, what there is of it as a whole; MibGetFirst one row, and MibGetNext, asked
 * with the first `key_size` bytes of a row, the row behind it. What a setting says of defaults and bounds means nothing
 * here. */
typedef struct TpModuleMib {
  uint32_t protocol_id; /* this and the transport: those of its TpModule */
  uint32_t transport;
  const TpSettings* counts; /* null: MibGet answers nothing of the kind */
  const TpSettings* row;    /* null: there are no rows */
  uint32_t key_size;        /* 1 to the row's size */
  uint32_t reserved;
} TpModuleMib;

typedef struct TpModuleMibs {
  uint32_t api;   /* TP_MODULE_API */
  uint32_t count; /* at most 64 */
  const TpModuleMib* mibs;
} TpModuleMibs;

/* A second symbol, which a library may have beside TP_MODULE_LIBRARY. */
#define TP_MODULE_MIB_SYMBOL "TpModuleMibDescription"
#ifdef __cplusplus
#define TP_MODULE_MIBS(Mibs, Count)                            \
  extern "C" TP_API const TpModuleMibs TpModuleMibDescription; \
  const TpModuleMibs TpModuleMibDescription = {TP_MODULE_API, (Count), (Mibs)}
#else
#define TP_MODULE_MIBS(Mibs, Count)                        \
  extern TP_API const TpModuleMibs TpModuleMibDescription; \
  const TpModuleMibs TpModuleMibDescription = {TP_MODULE_API, (Count), (Mibs)}
#endif

/* For a module that reads its blocks: the first element of a list, or null where it has none or does not lie in the
 * block, which who checks no blocks of his own would otherwise have to check. */
static inline const void* TpModuleElements(const void* block, uint32_t block_size, TpModuleList list,
                                           uint32_t element_size) TP_NOEXCEPT {
  if (list.count == 0 || element_size == 0 || list.offset % 8 != 0 || list.offset > block_size ||
      list.count > (block_size - list.offset) / element_size) {
    return NULL;
  }
#ifdef __cplusplus
  return static_cast<const unsigned char*>(block) + list.offset;
#else
  return (const unsigned char*)block + list.offset;
#endif
}

TP_END

#endif
